#include "runner/namespaces.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/capabilities.hpp"
#include "runner/channel.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lade::runner {

namespace {

/// What the kernel calls a kind of namespace.
struct KernelNames {
  std::uint64_t flag;  ///< CLONE_NEW…
  const char* file;    ///< in /proc/PID/ns
};

/// By the order of NamespaceKind.
constexpr std::array<KernelNames, k_namespace_names.size()> k_kernel_names{{
    {CLONE_NEWPID, "pid"},
    {CLONE_NEWNET, "net"},
    {CLONE_NEWNS, "mnt"},
    {CLONE_NEWIPC, "ipc"},
    {CLONE_NEWUTS, "uts"},
    {CLONE_NEWCGROUP, "cgroup"},
    {CLONE_NEWUSER, "user"},
    {CLONE_NEWTIME, "time"},
}};

std::uint64_t flag_of(NamespaceKind kind) {
  return k_kernel_names.at(static_cast<std::size_t>(kind)).flag;
}

const char* file_of(NamespaceKind kind) {
  return k_kernel_names.at(static_cast<std::size_t>(kind)).file;
}

std::uint64_t flags_of(const std::vector<NamespaceKind>& kinds) {
  std::uint64_t flags = 0;
  for (const NamespaceKind kind : kinds) flags |= flag_of(kind);
  return flags;
}

/// How a process is cloned.
struct Cloning {
  std::uint64_t flags = 0;
  unsigned exit_signal = SIGCHLD;
  int cgroup = -1;
};

Child clone_process(const Cloning& cloning, const std::function<int()>& child) {
  int pidfd = -1;
  struct clone_args arguments {};
  arguments.flags = cloning.flags | CLONE_PIDFD;
  if (cloning.cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<unsigned>(cloning.cgroup);
  }
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  arguments.exit_signal = cloning.exit_signal;
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid == 0) ::_exit(child());
  if (pid < 0) {
    const int code = errno;
    SystemError error(code, "clone into new namespaces");
    if (code == EPERM) error.set_hint("without a user namespace of its own a container needs root");
    throw error;
  }
  return {static_cast<pid_t>(pid), Fd(pidfd)};
}

/// Helper: a time namespace's clocks are set before the first process enters it.
void unshare_time(const std::vector<SpecTimeOffset>& offsets) {
  unshare_namespaces({NamespaceKind::time});
  std::string text;
  for (const SpecTimeOffset& each : offsets) {
    text += str(each.clock, ' ', each.seconds, ' ', each.nanoseconds, '\n');
  }
  const std::string path = "/proc/self/timens_offsets";
  write_all(open_file(path, O_WRONLY), as_bytes(text), path);
}

/// Helper: its clone becomes a child of its own parent. Its result is an exit code for nobody.
int enter_and_clone(const Placement& placement, Channel& channel,
                    const std::function<int()>& child) noexcept {
  try {
    std::vector<NamespaceKind> created = placement.created;
    if (!placement.time_offsets.empty()) {
      unshare_time(placement.time_offsets);
      std::erase(created, NamespaceKind::time);
    }
    for (const OpenNamespace& each : placement.joined) join_namespace(each);
    // The clone is visible at once to those who are in its namespaces, who may have every
    // capability in its user namespace: it is closed to them from the start (CVE-2016-9962).
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    // A clone with this flag inherits the exit signal, and must not name one.
    const Child cloned =
        clone_process({flags_of(created) | CLONE_PARENT, 0, placement.cgroup}, [&] {
          channel.close();
          return child();
        });
    channel.hand_over(Channel::Message::Kind::process, cloned.pidfd, cloned.pid);
    return 0;
  } catch (const std::exception& error) {
    channel.send_failure(failure_of(error, 0));
  }
  return 1;
}

}  // namespace

std::vector<OpenNamespace> open_namespaces(const std::vector<SpecNamespace>& namespaces) {
  std::vector<OpenNamespace> opened;
  for (const SpecNamespace& each : namespaces) {
    Fd fd = open_file(each.path, O_RDONLY);
    const int type = ::ioctl(fd.get(), NS_GET_NSTYPE);
    if (type < 0 || static_cast<std::uint64_t>(type) != flag_of(each.kind)) {
      throw InvalidData(str("join namespace ", quoted(each.path), ": it is of another kind"));
    }
    opened.push_back({each.kind, std::move(fd)});
  }
  // The user namespace first: it gives the right to enter the others that belong to it.
  std::stable_partition(opened.begin(), opened.end(),
                        [](const OpenNamespace& each) { return each.kind == NamespaceKind::user; });
  return opened;
}

void join_namespace(const OpenNamespace& joined) {
  check_syscall(::setns(joined.fd.get(), static_cast<int>(flag_of(joined.kind))),
                [&] { return str("join a ", file_of(joined.kind), " namespace"); });
}

bool is_own_namespace(const SpecNamespace& joined) {
  const struct stat theirs = stat_of(open_file(joined.path, O_RDONLY), joined.path);
  const std::string path = str("/proc/self/ns/", file_of(joined.kind));
  const struct stat own = stat_of(open_file(path, O_RDONLY), path);
  return theirs.st_dev == own.st_dev && theirs.st_ino == own.st_ino;
}

std::vector<SpecNamespace> namespaces_of(pid_t pid) {
  std::vector<SpecNamespace> theirs;
  for (const NamespaceKind kind :
       {NamespaceKind::user, NamespaceKind::pid, NamespaceKind::network, NamespaceKind::mount,
        NamespaceKind::ipc, NamespaceKind::uts, NamespaceKind::cgroup, NamespaceKind::time}) {
    const std::string path = str("/proc/", pid, "/ns/", file_of(kind));
    const Fd own = open_file(str("/proc/self/ns/", file_of(kind)), O_RDONLY);
    if (stat_of(open_file(path, O_RDONLY), path).st_ino != stat_of(own, path).st_ino) {
      theirs.push_back({kind, path});
    }
  }
  return theirs;
}

Child clone_into(const Placement& placement, const std::function<int()>& child) {
  if (placement.joined.empty() && placement.time_offsets.empty()) {
    return clone_process({flags_of(placement.created), SIGCHLD, placement.cgroup}, child);
  }
  ChannelPair channel = make_channel();
  const Child helper = clone_process({}, [&] {
    channel.parent.close();
    return enter_and_clone(placement, channel.child, child);
  });
  channel.child.close();
  Channel::Message message = channel.parent.receive();
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(helper.pidfd.get()), &info, WEXITED) < 0 &&
         errno == EINTR) {
  }
  if (message.kind == Channel::Message::Kind::failure) rethrow(message.failure);
  if (message.kind != Channel::Message::Kind::process) {
    throw Error("join namespaces: the process that was to do it has ended");
  }
  return {message.number, std::move(message.fd)};
}

void map_ids(const Child& child, const std::vector<SpecIdMapping>& uids,
             const std::vector<SpecIdMapping>& gids) {
  const auto write = [&](const char* file, const std::vector<SpecIdMapping>& mappings) {
    const std::string path = str("/proc/", child.pid, '/', file);
    std::string text;
    for (const SpecIdMapping& each : mappings) {
      text += str(each.container, ' ', each.host, ' ', each.size, '\n');
    }
    // The kernel takes the whole map in one write, once.
    write_all(open_file(path, O_WRONLY), as_bytes(text), path);
  };
  write("uid_map", uids);
  write("gid_map", gids);
}

void become_namespace_root() {
  const auto failed = [] { return std::string("become root of the user namespace"); };
  set_groups({});
  check_syscall(::setresgid(0, 0, 0), failed);
  check_syscall(::setresuid(0, 0, 0), failed);
}

void unshare_namespaces(const std::vector<NamespaceKind>& namespaces) {
  check_syscall(::unshare(static_cast<int>(flags_of(namespaces))),
                [] { return std::string("unshare namespaces"); });
}

void set_hostname(const std::string& name) {
  check_syscall(::sethostname(name.data(), name.size()),
                [&] { return str("set the host name to ", quoted(name)); });
}

void set_domainname(const std::string& name) {
  check_syscall(::setdomainname(name.data(), name.size()),
                [&] { return str("set the domain name to ", quoted(name)); });
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
  const std::string path = "sys/" + name;
  const Fd file(check_syscall(::openat(proc.get(), path.c_str(), O_WRONLY | O_CLOEXEC),
                              [&] { return str("open sysctl ", quoted(name)); }));
  write_all(file, as_bytes(value), str("sysctl ", name));
}

}  // namespace lade::runner
