// Executes a plan in the foreground: clones the container's first process, which takes the steps
// and becomes the program, and stays with it to the end: signals, terminal, exit status.
#pragma once

#include "base/error.hpp"
#include "base/observer.hpp"
#include "runner/plan.hpp"

#include <string>

namespace lade::runner {

/// The container's program cannot be started. `exit_code` is what a shell would say: 127 when there
/// is no such program, 126 when it is there but cannot be invoked.
class CannotRun final : public Error {
 public:
  CannotRun(int exit_code, std::string message)
      : Error(std::move(message)), exit_code_(exit_code) {}

  /// 126 or 127.
  int exit_code() const noexcept { return exit_code_; }

 private:
  int exit_code_;
};

/// How a container ended.
struct ExitStatus {
  int code = 0;    ///< what it returned, or 128+signal
  int signal = 0;  ///< the signal that killed it, or 0
};

/// `-i`: whether the container reads the caller's standard input or /dev/null.
enum class Stdin { closed, open };

/// The caller's side of a run.
struct RunStreams {
  Stdin stdin_mode = Stdin::closed;
};

/// Whether this process has one thread only, as run() demands.
bool is_single_threaded();

/// Runs the container to its end. The container dies with this process. Signals that reach this
/// process go to the container; the terminal is restored on every way out. What the user should
/// know
/// (`-t` without a terminal) goes to `observer` as a note.
/// Throws CannotRun, or the Error of the step that did not succeed, with the step as its context.
/// THREADS: only from a process with a single thread; otherwise throws Error and the caller has to
/// execute itself anew.
ExitStatus run(const Plan& plan, const RunStreams& streams, Observer& observer);

}  // namespace lade::runner
