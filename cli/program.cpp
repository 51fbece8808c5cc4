#include "cli/program.hpp"

#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"

#include <algorithm>

namespace lade::cli {

int run_program(const std::vector<std::string>& words) {
  std::string verb = verb_of(words);
  Detail detail = Detail::one_line;
  try {
    const Invocation invocation = parse(words);
    verb = invocation.verb;
    if (invocation.global.debug) detail = Detail::contexts;
    const App app{read_environment(), invocation.global};
    return std::visit([&](const auto& arguments) { return run_verb(app, arguments); },
                      invocation.arguments);
  } catch (...) {
    const Report report = describe(std::current_exception(), verb, detail);
    write_message(report.text);
    return report.exit_code;
  }
}

}  // namespace lade::cli
