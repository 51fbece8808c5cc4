// Failures become one line and an exit code, here and nowhere else.
#pragma once

#include <exception>
#include <string>

namespace lade::cli {

/// The exit codes of the command line's contract.
namespace exit_code {
inline constexpr int done = 0;
inline constexpr int failed = 1;
inline constexpr int not_found = 2;
inline constexpr int not_authorised = 3;
inline constexpr int refused = 4;
inline constexpr int partly = 5;
inline constexpr int usage = 64;
inline constexpr int run_failed = 125;
inline constexpr int interrupted = 130;
}  // namespace exit_code

/// What is said of a failure, and how the process ends.
struct Report {
  std::string text;  ///< one line, a `hint:` line after it where the error has one; ends in newline
  int exit_code = exit_code::failed;
};

enum class Detail { one_line, contexts };

/// Describes the exception that `verb` ended with; Detail::contexts puts each context on its own
/// line.
Report describe(const std::exception_ptr& failure, const std::string& verb, Detail detail);

}  // namespace lade::cli
