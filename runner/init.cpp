#include "runner/init.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/capabilities.hpp"
#include "runner/cgroups/cgroup.hpp"
#include "runner/devices.hpp"
#include "runner/execute.hpp"
#include "runner/hooks.hpp"
#include "runner/hosted_root.hpp"
#include "runner/labels.hpp"
#include "runner/limits.hpp"
#include "runner/memory_policy.hpp"
#include "runner/namespaces.hpp"
#include "runner/personality.hpp"
#include "runner/scheduling.hpp"
#include "runner/start_socket.hpp"
#include "runner/terminal.hpp"
#include "runner/users.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <exception>

namespace lade::runner {

namespace {

/// The parent's word that its part is done, and what it gives with it.
class GoAhead {
 public:
  explicit GoAhead(Channel& channel) : channel_(channel) {}

  bool has_come() const noexcept { return has_come_; }
  void await() {
    entrance_ = channel_.await_go();
    has_come_ = true;
  }
  /// The version 1 cgroups, once.
  std::vector<Fd> take_entrance() { return std::move(entrance_); }

 private:
  Channel& channel_;
  bool has_come_ = false;
  std::vector<Fd> entrance_;
};

/// Takes one step after the other; what a later one needs of an earlier is kept here.
class Init {
 public:
  Init(const Plan& plan, const Preparation& preparation, Channel& channel, GoAhead& go)
      : plan_(plan), preparation_(preparation), channel_(channel), go_(go) {}

  void take(const Step& step, std::size_t index) {
    index_ = index;
    std::visit(*this, step);
  }

  void operator()(const step::NewSession&) {
    // A process that leads its group already is in a session of its own after all.
    if (::setsid() < 0 && errno != EPERM) throw SystemError(errno, "start a session");
  }
  void operator()(const step::IsolateMounts&) { isolate_mounts(); }
  void operator()(const step::EnterCgroup&) {
    enter_cgroups(go_.take_entrance());
    for (const OpenNamespace& each : preparation_.late) join_namespace(each);
    // The cgroup may have changed them.
    if (!plan_.final_cpus.empty()) set_affinity(0, plan_.final_cpus);
  }
  void operator()(const step::Unshare& step) { unshare_namespaces(step.kinds); }
  void operator()(const step::LoopbackUp&) { bring_up_loopback(); }
  void operator()(const step::OpenProc&) { proc_ = make_proc_mount(); }
  void operator()(const step::SetSysctl& step) { set_sysctl(proc_, step.name, step.value); }
  void operator()(const step::SetHostname& step) { set_hostname(step.name); }
  void operator()(const step::SetDomainname& step) { set_domainname(step.name); }
  void operator()(const step::AttachRoot& step) { root_ = attach_root(step); }
  void operator()(const step::UseRoot& step) {
    if (step.path.empty()) {
      root_ = Rootfs(open_file("/", O_PATH | O_DIRECTORY), "the container");
    } else {
      change_root(root_ = share_root(step.path));
    }
  }
  void operator()(const step::ShareRoot& step) { root_ = share_root(step.path); }
  void operator()(const step::ChangeRoot&) { change_root(root_); }
  void operator()(const step::MountFilesystem& step) {
    mount_filesystem(root_, step, takes_label(step.type) ? mount_label_ : std::string());
  }
  void operator()(const step::MountProc& step) { mount_proc(root_, proc_, step); }
  void operator()(const step::MountCgroups& step) {
    mount_cgroups(root_, preparation_.cgroups, proc_, step);
  }
  void operator()(const step::BindMount& step) {
    bind_mount(root_, proc_, preparation_.bind_sources[index_], step);
  }
  void operator()(const step::Remount& step) { remount(root_, step); }
  void operator()(const step::ReadonlyMount& step) { make_mount_readonly(root_, step); }
  void operator()(const step::ProvideFile& step) { provide_file(root_, step); }
  void operator()(const step::MakeDevices& step) { make_devices(root_, step); }
  void operator()(const step::MakeLink& step) { make_link(root_, step); }
  void operator()(const step::MakeDirectory& step) {
    root_.ensure_directory(step.path, Links::follow);
  }
  void operator()(const step::MakeFile& step) { root_.ensure_file(step.path, Links::refuse); }
  void operator()(const step::EnterRoot&) { enter_root(root_); }
  void operator()(const step::SetRootPropagation& step) { set_root_propagation(root_, step); }
  void operator()(const step::ReadonlyRoot&) { make_root_readonly(root_); }
  void operator()(const step::MaskPath& step) { masker_.mask(root_, step.path); }
  void operator()(const step::ReadonlyPath& step) { make_path_readonly(root_, step.path); }
  void operator()(const step::ResolveUser& step) {
    user_ = step.ids ? resolve_ids_in(root_, proc_, *step.ids)
                     : resolve_user_in(root_, proc_, step.text);
  }
  void operator()(const step::OpenTerminal&) {
    PseudoTerminal terminal = open_terminal(root_, user_);
    channel_.hand_over(Channel::Message::Kind::terminal, terminal.master);
    channel_.await_go();
    slave_ = std::move(terminal.slave);
  }
  void operator()(const step::ConnectStdio&) {
    connect_stdio(root_, preparation_.stdio, slave_, user_);
  }
  void operator()(const step::ChangeDirectory& step) {
    try {
      change_directory(root_, step.path);
    } catch (const SystemError& error) {
      if (error.code() != EACCES) throw;
      retry_directory_ = step.path;  // Perhaps only its user may enter it (NFS with root squashed).
    }
  }
  void operator()(const step::SetNoNewPrivileges&) { set_no_new_privileges(); }
  void operator()(const step::CheckCapabilities& step) {
    for (const std::string& name : find_ungrantable(user_, step.capabilities)) {
      channel_.tell(Channel::Message::Kind::warning,
                    str("capability ", quoted(name), " cannot be granted"));
    }
  }
  void operator()(const step::SetLabels& step) { set_labels(proc_, step); }
  void operator()(const step::UseMountLabel& step) {
    if (has_selinux(proc_)) {
      mount_label_ = step.label;
      return;
    }
    channel_.tell(
        Channel::Message::Kind::warning,
        str("mounts are without the label ", quoted(step.label), ": this host has no SELinux"));
  }
  void operator()(const step::SetScheduler& step) { set_scheduler(step.scheduler); }
  void operator()(const step::SetIoPriority& step) { set_io_priority(step.priority); }
  void operator()(const step::SetPersonality& step) { set_personality(step.personality); }
  void operator()(const step::SetMemoryPolicy& step) { set_memory_policy(step.policy); }
  void operator()(const step::SetLimits& step) { set_limits(step.limits); }
  void operator()(const step::LoadSeccomp&) {
    const Fd listener = load_seccomp(preparation_.seccomp);
    if (!listener.valid()) return;
    channel_.hand_over(Channel::Message::Kind::seccomp_listener, listener);
    channel_.await_go();
  }
  void operator()(const step::BecomeUser& step) {
    become_user(user_, step.capabilities);
    if (!retry_directory_.empty()) change_directory(root_, retry_directory_);
  }
  void operator()(const step::MeetParent&) {
    channel_.tell(Channel::Message::Kind::meeting);
    channel_.await_go();
  }
  void operator()(const step::RunHooks& step) { run_hooks(step.moment, step.hooks, step.state); }
  void operator()(const step::AwaitStart&) {
    settle_lifetime(plan_.lifetime, channel_);
    close_what_was_inherited();
    channel_.tell(Channel::Message::Kind::ready);
    channel_ = await_start(preparation_.start_listener);
  }
  void operator()(const step::FindProgram& step) { find_program(step.name, step.env); }
  void operator()(const step::Execute& step) {
    execute({step.args, step.env, step.umask, plan_.lifetime, plan_.preserved_fds,
             preparation_.own_file},
            user_, channel_);
  }

 private:
  /// A container may wait for long: what the parent had open of the host is closed for real
  /// (CVE-2024-21626). Nobody here comes back to it.
  void close_what_was_inherited() {
    masker_ = Masker();
    slave_.reset();
    std::array<int, 4> kept{channel_.fd(), preparation_.start_listener.get(), root_.fd(),
                            proc_.get()};
    std::sort(kept.begin(), kept.end());
    unsigned first = 3 + plan_.preserved_fds;
    for (const int fd : kept) {
      if (fd < static_cast<int>(first)) continue;
      if (fd > static_cast<int>(first)) ::close_range(first, static_cast<unsigned>(fd) - 1, 0);
      first = static_cast<unsigned>(fd) + 1;
    }
    ::close_range(first, UINT_MAX, 0);
  }

  const Plan& plan_;
  const Preparation& preparation_;
  Channel& channel_;
  GoAhead& go_;
  std::size_t index_ = 0;
  Fd proc_;
  Rootfs root_;
  Masker masker_;
  ResolvedUser user_;
  Fd slave_;
  std::string retry_directory_;
  std::string mount_label_;
};

bool has_user_namespace(const Plan& plan) {
  const auto is_user = [](const SpecNamespace& each) { return each.kind == NamespaceKind::user; };
  return std::count(plan.namespaces.begin(), plan.namespaces.end(), NamespaceKind::user) > 0 ||
         std::any_of(plan.joined.begin(), plan.joined.end(), is_user);
}

/// Whether the first step already stands on what the parent does for this process.
bool needs_lade_first(const Plan& plan) {
  return has_user_namespace(plan) || !plan.net_devices.empty() || !plan.initial_cpus.empty() ||
         !plan.final_cpus.empty();
}

/// Whether a step concerns nobody but this process, which mounts for itself what nobody else sees:
/// it may be taken while the parent is still at its part.
bool is_own_affair(const Step& step) {
  const auto is_any = [&]<class... Kinds>(std::variant<Kinds...>*) {
    return (std::holds_alternative<Kinds>(step) || ...);
  };
  using OwnAffairs =
      std::variant<step::NewSession, step::IsolateMounts, step::Unshare, step::LoopbackUp,
                   step::OpenProc, step::SetSysctl, step::SetHostname, step::SetDomainname,
                   step::AttachRoot, step::MountFilesystem, step::MountProc, step::MountCgroups,
                   step::BindMount, step::Remount, step::ReadonlyMount, step::ProvideFile,
                   step::MakeDevices, step::MakeLink, step::MakeDirectory, step::MakeFile>;
  return is_any(static_cast<OwnAffairs*>(nullptr));
}

}  // namespace

int init_main(const Plan& plan, const Preparation& preparation, ChannelPair& channel) noexcept {
  std::size_t index = plan.steps.size();
  try {
    channel.parent.close();
    // Until it is ready, even a container that will outlive lade must not be left half made.
    check_syscall(::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0),
                  [] { return std::string("bind this process's life to lade's"); });
    // A user may write the maps of a process that is theirs, which one that is closed is not. In a
    // new user namespace there is nobody yet from whom it would have to be.
    const bool is_mapped =
        std::ranges::count(plan.namespaces, NamespaceKind::user) > 0 && plan.joined.empty();
    if (!is_mapped) ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    ::umask(0);
    GoAhead go(channel.child);
    if (needs_lade_first(plan)) go.await();
    if (is_mapped) ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    const auto note = [&](std::string_view what) {
      if (preparation.trace != nullptr) preparation.trace->note(TraceSide::container, what);
    };
    note("begin");
    if (has_user_namespace(plan)) become_namespace_root();
    Init init(plan, preparation, channel.child, go);
    for (index = 0; index < plan.steps.size(); ++index) {
      if (!go.has_come() && !is_own_affair(plan.steps[index])) {
        go.await();
        note("wait for lade");
      }
      init.take(plan.steps[index], index);
      if (preparation.trace != nullptr) note(name_of(plan.steps[index]));
    }
    throw Error("the plan ends without a program");
  } catch (const std::exception& error) {
    channel.child.send_failure(failure_of(error, index));
  }
  return 1;
}

}  // namespace lade::runner
