// Executes a plan: clones the container's first process, which takes the steps and becomes the
// program; in the foreground stays with it to the end: signals, terminal, exit status.
#pragma once

#include "runner/cannot_run.hpp"
#include "runner/plan.hpp"
#include "runner/starting.hpp"

#include <functional>
#include <string>

namespace lade::runner {

/// How a container ended.
struct ExitStatus {
  int code = 0;  ///< what it returned, or 128+signal
};

/// What becomes of a standard stream of the caller's that is a terminal: a container that has it
/// could type into it, and runtimes give it all the same.
enum class TerminalStreams { relayed, inherited };

/// The caller's side of a run.
struct RunStreams {
  Stdin stdin_mode = Stdin::closed;
  TerminalStreams terminals = TerminalStreams::relayed;
};

/// What the caller of run() does at moments of it.
struct RunDuties {
  StartDuties start;                          ///< by default, the terminal is the caller's own
  std::function<void(const Child&)> running;  ///< when the program has started
};

/// Whether this process has one thread only, as run() and start() demand.
bool is_single_threaded();

/// Runs the container to its end. Signals that reach this process go to the container; the terminal
/// is restored on every way out. What the user should know (`-t` without a terminal) is a warning
/// among the duties.
/// Throws CannotRun, or the Error of the step that did not succeed, with the step as its context.
/// THREADS: only from a process with a single thread; otherwise throws Error and the caller has to
/// execute itself anew.
ExitStatus run(const Plan& plan, const RunStreams& streams, RunDuties duties);

/// Starts the container, with the caller's standard streams, until its program runs, or until it
/// waits for `start` on `start_listener` if the plan says so. It is nobody's afterwards. Throws as
/// run() does, with nothing left.
Child start(const Plan& plan, Fd start_listener, StartDuties duties);

}  // namespace lade::runner
