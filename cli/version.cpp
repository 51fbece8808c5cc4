#include "base/text.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace lade::cli {

void declare_options(OptionSet&, VersionArguments&) {}

int run_verb(const App&, const VersionArguments&) {
  write_result("lade version " LADE_VERSION "\n");
  return 0;
}

}  // namespace lade::cli
