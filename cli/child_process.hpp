// Work that needs threads, done in a child process, so that this one stays single-threaded and may
// clone a container afterwards.
#pragma once

#include <functional>

namespace lade::cli {

/// Forks; the child runs `work` and exits with its result (work reports its own failures). This
/// process waits, passes SIGTERM and SIGHUP on (SIGINT from a terminal reaches both), and returns
/// the child's exit code, or 128+n if signal n killed it.
/// REQUIRES: this process has one thread.
int run_in_child(const std::function<int()>& work);

/// Runs `work` in a child process of its own session, without standard input, output and errors,
/// that nobody waits for; here and now if no process can be made. What goes wrong in it is lost: it
/// must be something that another process does later if this one does not. REQUIRES: this process
/// has one thread, and is about to end.
void finish_in_background(const std::function<void()>& work);

}  // namespace lade::cli
