// Running another program: its input and output as text, bounded in size and time. No shell.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace lade {

/// What to run, and within which bounds.
struct ProgramCall {
  std::string path;                      ///< of the executable; nothing is searched
  std::string name;                      ///< what the program is told it is called; empty: `path`
  std::vector<std::string> arguments;    ///< after the program's own name
  std::vector<std::string> environment;  ///< all of it, `NAME=value`
  std::string input;                     ///< what it reads from standard input
  std::size_t output_cap = 1024 * 1024;  ///< for each of standard output and standard error
  std::chrono::milliseconds timeout{60'000};
  std::stop_token stop;
};

/// How a program ended.
struct ProgramResult {
  int exit_code = 0;  ///< 128+n if signal n killed it
  std::string output;
  std::string errors;
};

/// Runs a program to its end with three descriptors and default signals. It is killed when the
/// time is over, when it says more than the cap, or when a stop is requested. THREADS: may be
/// called from any thread. Throws SystemError if it cannot be started, InvalidData for too much
/// output, Error when the time is over, Cancelled.
ProgramResult call_program(const ProgramCall& call);

/// Looks a program up in the absolute directories of `search_path` (`/usr/bin:/bin`); its path.
std::optional<std::string> find_program(std::string_view search_path, std::string_view name);

}  // namespace lade
