#include "runner/signals.hpp"

#include "base/error.hpp"

#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lade::runner {

SignalTap::SignalTap() {
  sigset_t all;
  sigfillset(&all);
  // A fault of lade's own must still end it.
  for (const int fault : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS}) {
    sigdelset(&all, fault);
  }
  check_syscall(::sigprocmask(SIG_SETMASK, &all, &before_),
                [] { return std::string("block signals"); });
  fd_.reset(::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_.valid()) {
    const int code = errno;
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    throw SystemError(code, "make a signalfd");
  }
}

SignalTap::~SignalTap() {
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> SignalTap::next() {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info))
    return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

bool is_forwarded(int signal) {
  switch (signal) {
    case SIGCHLD:
    case SIGPIPE:
    case SIGURG:
    case SIGWINCH:
    case SIGSTOP:
    case SIGKILL:
      return false;
    default:
      return true;
  }
}

bool is_interrupting(int signal) {
  return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
}

bool send_signal(const Fd& pidfd, int signal) {
  return ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0;
}

void reset_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) {
    // The C library keeps two to itself and refuses; they are at their default here.
    ::sigaction(signal, &standard, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  check_syscall(::sigprocmask(SIG_SETMASK, &none, nullptr),
                [] { return std::string("unblock signals"); });
}

}  // namespace lade::runner
