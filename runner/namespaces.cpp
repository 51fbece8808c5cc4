#include "runner/namespaces.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace lade::runner {

namespace {

std::uint64_t flag_of(NamespaceKind kind) {
  switch (kind) {
    case NamespaceKind::pid:
      return CLONE_NEWPID;
    case NamespaceKind::network:
      return CLONE_NEWNET;
    case NamespaceKind::mount:
      return CLONE_NEWNS;
    case NamespaceKind::ipc:
      return CLONE_NEWIPC;
    case NamespaceKind::uts:
      return CLONE_NEWUTS;
    case NamespaceKind::cgroup:
      return CLONE_NEWCGROUP;
    case NamespaceKind::user:
      return CLONE_NEWUSER;
    case NamespaceKind::time:
      return CLONE_NEWTIME;
  }
  return 0;
}

std::uint64_t flags_of(const std::vector<NamespaceKind>& kinds) {
  std::uint64_t flags = 0;
  for (const NamespaceKind kind : kinds) flags |= flag_of(kind);
  return flags;
}

}  // namespace

Child clone_into(const std::vector<NamespaceKind>& namespaces, const std::function<int()>& child) {
  int pidfd = -1;
  struct clone_args arguments {};
  arguments.flags = flags_of(namespaces) | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid == 0) ::_exit(child());
  if (pid < 0) {
    const int code = errno;
    SystemError error(code, "clone into new namespaces");
    if (code == EPERM) error.set_hint("containers need root for now");
    throw error;
  }
  return {static_cast<pid_t>(pid), Fd(pidfd)};
}

void unshare_namespaces(const std::vector<NamespaceKind>& namespaces) {
  check_syscall(::unshare(static_cast<int>(flags_of(namespaces))),
                [] { return std::string("unshare namespaces"); });
}

void set_hostname(const std::string& name) {
  check_syscall(::sethostname(name.data(), name.size()),
                [&] { return str("set the host name to ", quoted(name)); });
}

void bring_up_loopback() {
  const Fd socket(check_syscall(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                                [] { return std::string("open a socket"); }));
  struct ifreq request {};
  ::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  check_syscall(::ioctl(socket.get(), SIOCSIFFLAGS, &request),
                [] { return std::string("bring up `lo`"); });
}

void set_sysctl(const Fd& proc, const std::string& name, const std::string& value) {
  std::string path = "sys/" + name;
  std::replace(path.begin(), path.end(), '.', '/');
  const Fd file(check_syscall(::openat(proc.get(), path.c_str(), O_WRONLY | O_CLOEXEC),
                              [&] { return str("open sysctl ", quoted(name)); }));
  write_all(file, as_bytes(value), str("sysctl ", name));
}

}  // namespace lade::runner
