#include "cli/program.hpp"

#include "base/error.hpp"
#include "cli/deadline.hpp"
#include "cli/output.hpp"
#include "cli/personality.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"

#include <algorithm>

namespace lade::cli {

namespace {

/// Runs a verb; being interrupted by the deadline is a failure like others.
int run_in_time(const App& app, const VerbArguments& arguments) {
  const Deadline deadline(app.global.command_timeout);
  try {
    return std::visit([&](const auto& verb) { return run_verb(app, verb); }, arguments);
  } catch (const Cancelled&) {
    if (!deadline.is_over()) throw;
    throw Error("context deadline exceeded");
  }
}

}  // namespace

int run_program(std::string_view called_as, const std::vector<std::string>& words) {
  const std::unique_ptr<Personality> personality =
      make_personality(called_as, words.empty() ? std::string_view() : words.front());
  std::string verb = personality->verb_of(words);
  Detail detail = Detail::one_line;
  try {
    const Invocation invocation = personality->parse(words);
    verb = invocation.verb;
    if (invocation.global.debug) detail = Detail::contexts;
    const App app{read_environment(), invocation.global};
    return run_in_time(app, invocation.arguments);
  } catch (...) {
    const Report report = personality->describe(std::current_exception(), verb, detail);
    write_message(report.text);
    return report.exit_code;
  }
}

}  // namespace lade::cli
