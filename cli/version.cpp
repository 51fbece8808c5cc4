#include "base/text.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace lade::cli {

void declare_options(OptionSet&, VersionArguments&) {}

int run_verb(const App& app, const VersionArguments&) {
  if (app.global.name == ProgramName::skopeo) {
    // The third word is what scripts compare.
    write_result("skopeo version 1.22.0 (lade version " LADE_VERSION ")\n");
  } else if (app.global.name == ProgramName::umoci) {
    write_result("umoci version 0.6.0 (lade version " LADE_VERSION ")\n");
  } else {
    write_result("lade version " LADE_VERSION "\n");
  }
  return 0;
}

}  // namespace lade::cli
