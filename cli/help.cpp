#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/help_pages.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace lade::cli {

void declare_options(OptionSet& options, HelpArguments& help) {
  options.arguments(help.verb);
}

int run_verb(const App&, const HelpArguments& arguments) {
  // Verbs of two words share the page of the first.
  const auto page = find_help_page(arguments.verb.empty() ? "overview" : arguments.verb.front());
  if (!page) {
    UsageError error(str("help: unknown verb ", quoted(join(arguments.verb, " "))));
    error.set_hint("`lade help` lists the verbs");
    throw error;
  }
  write_result(*page);
  return 0;
}

}  // namespace lade::cli
