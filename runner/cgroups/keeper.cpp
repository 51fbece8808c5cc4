#include "runner/cgroups/keeper.hpp"

#include "base/error.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lade::runner {

KeeperProcess::KeeperProcess() {
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  check_syscall(pid_, [] { return "fork"; });
  if (pid_ > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A parent that was gone already sends nothing.
  while (::getppid() == parent) ::pause();
  ::_exit(0);
}

KeeperProcess::~KeeperProcess() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace lade::runner
