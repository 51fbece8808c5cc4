#include "cli/report.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/cannot_run.hpp"

#include <new>

namespace lade::cli {

namespace {

int code_of(const Error& error, const std::string& verb) {
  if (const auto* cannot_run = dynamic_cast<const runner::CannotRun*>(&error)) {
    return cannot_run->exit_code();
  }
  // podman's rule: whatever goes wrong before the container's own process runs is 125.
  if (verb == "run") return exit_code::run_failed;
  if (dynamic_cast<const UsageError*>(&error) != nullptr) return exit_code::usage;
  if (dynamic_cast<const NotFound*>(&error) != nullptr) return exit_code::not_found;
  if (dynamic_cast<const Refused*>(&error) != nullptr) return exit_code::refused;
  const auto* http = dynamic_cast<const HttpError*>(&error);
  if (http != nullptr && http->unauthorized()) return exit_code::not_authorised;
  return exit_code::failed;
}

std::string text_of(const Error& error, Detail detail) {
  std::string text = "lade: ";
  if (detail == Detail::contexts) {
    for (auto it = error.context().rbegin(); it != error.context().rend(); ++it) {
      text += *it + ":\n  ";
    }
    text += error.message();
  } else {
    text += error.what();
  }
  text += '\n';
  if (!error.hint().empty()) text += str("hint: ", error.hint(), '\n');
  return text;
}

}  // namespace

Report describe(const std::exception_ptr& failure, const std::string& verb, Detail detail) {
  try {
    std::rethrow_exception(failure);
  } catch (const Cancelled&) {
    return {"lade: interrupted\n", exit_code::interrupted};
  } catch (const Error& error) {
    return {text_of(error, detail), code_of(error, verb)};
  } catch (const std::bad_alloc&) {
    return {"lade: out of memory\n", verb == "run" ? exit_code::run_failed : exit_code::failed};
  } catch (const std::exception& error) {
    return {str("lade: internal error: ", printable(error.what()), '\n'),
            verb == "run" ? exit_code::run_failed : exit_code::failed};
  }
}

}  // namespace lade::cli
