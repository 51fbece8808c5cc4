#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"
#include "runner/features.hpp"

namespace lade::cli {

void declare_options(OptionSet&, OciFeaturesArguments&) {}

int run_verb(const App&, const OciFeaturesArguments&) {
  write_result(runner::make_features(LADE_VERSION));
  return exit_code::done;
}

}  // namespace lade::cli
