#include "cli/child_process.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lade::cli {

namespace {

sigset_t waited_for() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  return set;
}

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

void finish_in_background(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child > 0) return;
  if (child < 0) return work();
  ::setsid();
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (null < 0 || ::dup2(null, number) < 0) ::close(number);
  }
  try {
    work();
  } catch (const std::exception&) {
    // Nobody to tell.
  }
  ::_exit(0);
}

int run_in_child(const std::function<int()>& work) {
  // Blocked before the fork, so that none is lost between it and the waiting.
  const sigset_t set = waited_for();
  sigset_t before;
  sigprocmask(SIG_BLOCK, &set, &before);
  const pid_t parent = ::getpid();
  const pid_t child = check_syscall(::fork(), [] { return std::string("fork"); });
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(1);
    sigprocmask(SIG_SETMASK, &before, nullptr);
    ::_exit(work());
  }
  for (;;) {
    int number = 0;
    sigwait(&set, &number);
    if (number == SIGTERM || number == SIGHUP) ::kill(child, number);
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) {
      sigprocmask(SIG_SETMASK, &before, nullptr);
      return exit_code(status);
    }
  }
}

}  // namespace lade::cli
