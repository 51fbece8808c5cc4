#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/help_pages.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace lade::cli {

int run_verb(const App&, const HelpArguments& arguments) {
  const auto page = find_help_page(arguments.verb.empty() ? "overview" : arguments.verb);
  if (!page) {
    UsageError error(str("help: unknown verb ", quoted(arguments.verb)));
    error.set_hint("`lade help` lists the verbs");
    throw error;
  }
  write_result(*page);
  return 0;
}

}  // namespace lade::cli
