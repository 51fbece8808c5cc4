#include "runner/namespaces.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/capabilities.hpp"
#include "runner/proc_files.hpp"

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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

#include <cstddef>
#include <exception>
#include <memory>

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

/// Helper: its clone becomes a child of its own parent.
Child enter_and_clone(const Placement& placement, const std::function<int()>& child) {
  std::vector<NamespaceKind> created = placement.created;
  if (!placement.time_offsets.empty()) {
    unshare_time(placement.time_offsets);
    std::erase(created, NamespaceKind::time);
  }
  for (const OpenNamespace& each : placement.joined) join_namespace(each);
  // A clone with this flag inherits the exit signal, and must not name one.
  return clone_process({flags_of(created) | CLONE_PARENT, 0, placement.cgroup}, child);
}

/// A container's first process goes on on the helper's stack: as much as a stack usually has.
/// What nobody touches is never there.
constexpr std::size_t k_helper_stack = 8 * 1024 * 1024;

/// What the helper is told, and what it tells: it has no memory of its own.
struct Help {
  const Placement& placement;
  const std::function<int()>& child;
  std::unique_ptr<std::byte[]> stack = std::make_unique_for_overwrite<std::byte[]>(k_helper_stack);
  Child cloned;
  std::exception_ptr failure;
};

int help(void* argument) noexcept {
  Help& help = *static_cast<Help*>(argument);
#if defined(__SANITIZE_ADDRESS__)
  const void* before = nullptr;
  std::size_t size_before = 0;
  ::__sanitizer_start_switch_fiber(nullptr, help.stack.get(), k_helper_stack);
  ::__sanitizer_finish_switch_fiber(nullptr, &before, &size_before);
#endif
  try {
    help.cloned = enter_and_clone(help.placement, help.child);
  } catch (...) {
    help.failure = std::current_exception();
  }
#if defined(__SANITIZE_ADDRESS__)
  ::__sanitizer_start_switch_fiber(nullptr, before, size_before);
  ::__sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
  return 0;
}

/// This process's memory is closed to others while it lives, and that of its clones from the start:
/// they are visible at once to those who are in their namespaces, who may have every capability in
/// their user namespace (CVE-2016-9962).
class ClosedMemory {
 public:
  ClosedMemory() : before_(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0)) {
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  }
  ClosedMemory(const ClosedMemory&) = delete;
  ClosedMemory& operator=(const ClosedMemory&) = delete;
  ~ClosedMemory() { ::prctl(PR_SET_DUMPABLE, before_, 0, 0, 0); }

 private:
  int before_;
};

Child clone_by_helper(const Placement& placement, const std::function<int()>& child) {
  Help told{placement, child};
  const ClosedMemory closed;
  // It borrows memory and descriptors, and this process waits meanwhile: a copy would take longer
  // than all that it does.
  const int helper = ::clone(help, told.stack.get() + k_helper_stack,
                             CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &told);
  check_syscall(helper, [] { return std::string("make a process that joins namespaces"); });
  while (::waitpid(helper, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (told.failure) std::rethrow_exception(told.failure);
  return std::move(told.cloned);
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

bool is_own_namespace(const SpecNamespace& joined) {
  const auto look_at = [](const std::string& path) {
    struct stat st {};
    check_syscall(::stat(path.c_str(), &st), [&] { return str("open ", quoted(path)); });
    return st;
  };
  const struct stat theirs = look_at(joined.path);
  const struct stat own = look_at(str("/proc/self/ns/", file_of(joined.kind)));
  return theirs.st_dev == own.st_dev && theirs.st_ino == own.st_ino;
}

std::vector<SpecNamespace> namespaces_of(pid_t pid) {
  std::vector<SpecNamespace> theirs;
  for (const NamespaceKind kind :
       {NamespaceKind::user, NamespaceKind::pid, NamespaceKind::network, NamespaceKind::mount,
        NamespaceKind::ipc, NamespaceKind::uts, NamespaceKind::cgroup, NamespaceKind::time}) {
    const std::string path = str("/proc/", pid, "/ns/", file_of(kind));
    if (!is_own_namespace({kind, path})) theirs.push_back({kind, path});
  }
  return theirs;
}

Child clone_into(const Placement& placement, const std::function<int()>& child) {
  if (placement.joined.empty() && placement.time_offsets.empty()) {
    return clone_process({flags_of(placement.created), SIGCHLD, placement.cgroup}, child);
  }
  return clone_by_helper(placement, child);
}

void join_namespace(const OpenNamespace& joined) {
  check_syscall(::setns(joined.fd.get(), static_cast<int>(flag_of(joined.kind))),
                [&] { return str("join a ", file_of(joined.kind), " namespace"); });
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
  if (::geteuid() != 0) {
    // user_namespaces(7): a user may map their group only where nobody can give up groups.
    const std::string path = str("/proc/", child.pid, "/setgroups");
    write_all(open_file(path, O_WRONLY), as_bytes(std::string_view("deny")), path);
  }
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
  const Fd file = in_context([&] { return str("open sysctl ", quoted(name)); },
                             [&] { return open_in_proc(proc, path, O_WRONLY); });
  write_all(file, as_bytes(value), str("sysctl ", name));
}

}  // namespace lade::runner
