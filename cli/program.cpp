#include "cli/program.hpp"

#include "cli/output.hpp"
#include "cli/personality.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"

#include <algorithm>

namespace lade::cli {

int run_program(std::string_view called_as, const std::vector<std::string>& words) {
  const std::unique_ptr<Personality> personality = make_personality(called_as);
  std::string verb = personality->verb_of(words);
  Detail detail = Detail::one_line;
  try {
    const Invocation invocation = personality->parse(words);
    verb = invocation.verb;
    if (invocation.global.debug) detail = Detail::contexts;
    const App app{read_environment(), invocation.global};
    return std::visit([&](const auto& arguments) { return run_verb(app, arguments); },
                      invocation.arguments);
  } catch (...) {
    const Report report = personality->describe(std::current_exception(), verb, detail);
    write_message(report.text);
    return report.exit_code;
  }
}

}  // namespace lade::cli
