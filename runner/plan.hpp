// A plan is data: the ordered steps by which a container comes to be, every string ready. Making
// one is pure; launch.hpp executes it. The steps run in the new process, in order, before the
// program.
#pragma once

#include "base/mount.hpp"
#include "oci/runtime_spec.hpp"
#include "runner/hooks.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lade::runner {

/// An existing directory as the container's root.
struct RootDirectory {
  std::string path;
};

/// What the container's root directory is made of.
using RootfsSource = std::variant<OverlayConfig, RootDirectory>;

/// How a mount behaves, in the terms of mount_setattr(2).
struct MountFlags {
  std::uint64_t attributes = 0;       ///< MOUNT_ATTR_* to set
  std::uint64_t cleared = 0;          ///< MOUNT_ATTR_* to clear, for binds of something stricter
  std::uint64_t deep_attributes = 0;  ///< the same for the mount and those below; before the others
  std::uint64_t deep_cleared = 0;
  std::uint64_t propagation = 0;       ///< MS_PRIVATE, MS_SLAVE, … or 0 to leave it
  bool propagation_recursive = false;  ///< whether `propagation` reaches the mounts below
};

/// Which mounts and unmounts pass between a mount of the host and the container's copy of it.
enum class HostLink {
  none,      ///< neither's reach the other
  receives,  ///< the host's reach the container
  both       ///< the container's reach the host, too
};

/// What a container sees of its cgroups.
enum class CgroupView {
  of_namespace,  ///< the hierarchies, rooted at its own cgroup by its cgroup namespace
  of_container   ///< its own cgroups, bound from the host's hierarchies
};

/// The steps. Targets are paths in the container, resolved in its root and nowhere else.
namespace step {

/// A session of its own (setsid).
struct NewSession {};
/// No mount of the container shows on the host.
struct IsolateMounts {};
/// The container's cgroups, which lade has made meanwhile.
struct EnterCgroup {};
/// Namespaces that must wait until the process is where it belongs (cgroup).
struct Unshare {
  std::vector<NamespaceKind> kinds;
};
/// Brings up the loopback device of a network namespace of its own.
struct LoopbackUp {};
/// A procfs that nobody else sees, for every read and write below /proc during set-up.
struct OpenProc {};
/// One sysctl.
struct SetSysctl {
  std::string name;  ///< its path below /proc/sys
  std::string value;
};
struct SetHostname {
  std::string name;
};
struct SetDomainname {
  std::string name;
};
/// Mounts the root over the old one, which stays in reach until EnterRoot.
struct AttachRoot {
  RootfsSource source;
  HostLink link = HostLink::none;
};
/// The root is the one that the process has by the mount namespace that it joined, or else, where
/// there was none to join, a directory of the host's.
struct UseRoot {
  std::string path;  ///< empty: that of the mount namespace
};
/// The root of a container without a mount namespace: see hosted_root.hpp.
struct ShareRoot {
  std::string path;
};
/// Mounts a new file system on a directory that is made if it is not there.
struct MountFilesystem {
  std::string type;
  std::string source;  ///< the name that mountinfo shows
  std::string target;
  std::vector<std::pair<std::string, std::string>>
      options;  ///< a value-less one has an empty value
  MountFlags flags;
  bool copies_up = false;  ///< whether what lies at `target` is in it
};
/// Mounts the private procfs of OpenProc.
struct MountProc {
  std::string target;
  MountFlags flags;
};
/// The host's cgroup hierarchies, whatever their version.
struct MountCgroups {
  std::string target;
  MountFlags flags;
  CgroupView view = CgroupView::of_namespace;
};
/// Mounts a file or directory of the host; launch() opened it before the clone.
struct BindMount {
  std::string source;
  std::string target;
  MountFlags flags;
  bool with_submounts = true;
  HostLink link = HostLink::none;           ///< before `flags`, which may say otherwise
  std::vector<SpecIdMapping> uid_mappings;  ///< how its owners appear; empty: as they are
  std::vector<SpecIdMapping> gid_mappings;
  bool maps_submounts = false;
};
/// Changes a mount that is there.
struct Remount {
  std::string target;
  MountFlags flags;
  std::vector<std::pair<std::string, std::string>> options;  ///< of the file system itself
};
/// Makes a mount read-only that had to be filled first.
struct ReadonlyMount {
  std::string target;
};
/// A file of lade's making over `target`, such as /etc/hosts.
struct ProvideFile {
  std::string target;
  std::string content;
};
/// Device nodes and links in /dev.
struct MakeDevices {
  std::vector<SpecDevice> devices;
};
/// A symbolic link in /dev.
struct MakeLink {
  std::string path;
  std::string target;
};
/// Makes a directory and its parents if they are not there.
struct MakeDirectory {
  std::string path;
};
/// Makes an empty file and the directories above it if nothing is there.
struct MakeFile {
  std::string path;
};
/// pivot_root; nothing of the host is in reach afterwards.
struct EnterRoot {};
/// chroot, where there is no mount namespace whose root could be another one.
struct ChangeRoot {};
/// How mounts reach the root and leave it, once it is in place.
struct SetRootPropagation {
  MountFlags flags;
};
struct ReadonlyRoot {};
/// Hides a file behind /dev/null, a directory behind an empty one; a missing path is left alone.
struct MaskPath {
  std::string path;
};
/// Makes what is there read-only; a missing path is left alone.
struct ReadonlyPath {
  std::string path;
};
/// A pseudo-terminal on the container's own devpts, also as /dev/console.
struct OpenTerminal {};
/// Descriptors 0, 1 and 2.
struct ConnectStdio {};
/// Finds uid, gid, groups and home in the container's /etc/passwd and /etc/group; of `ids`, only
/// the home.
struct ResolveUser {
  std::string text;
  std::optional<SpecUserIds> ids;  ///< rule over `text`
};
struct ChangeDirectory {
  std::string path;
};
struct SetNoNewPrivileges {};
/// Warns of capabilities that cannot be had.
struct CheckCapabilities {
  SpecCapabilities capabilities;
};
/// Resource limits. Late, because they bind what lade does from then on, too.
struct SetLimits {
  std::vector<SpecRlimit> limits;
};
/// The labels that the program gets from the kernel's security modules.
struct SetLabels {
  std::string apparmor_profile;
  std::string selinux_label;
};
/// From here on new file systems get this SELinux label; a warning where there is no SELinux.
struct UseMountLabel {
  std::string label;
};
struct SetScheduler {
  SpecScheduler scheduler;
};
struct SetIoPriority {
  SpecIoPriority priority;
};
struct SetPersonality {
  SpecPersonality personality;
};
struct SetMemoryPolicy {
  SpecMemoryPolicy policy;
};
/// A system call filter: the given one, or lade's own as it is for these capabilities.
struct LoadSeccomp {
  std::vector<std::string> capabilities;
  std::optional<SpecSeccomp> filter;
};
/// Groups, ids and capabilities, in the one order that works.
struct BecomeUser {
  SpecCapabilities capabilities;
};
/// Makes sure that there is a program, as far as can be seen.
struct FindProgram {
  std::string name;
  std::vector<std::string> env;  ///< for PATH
};
/// Waits while the parent does what belongs to this moment: the hooks of the host's namespaces.
struct MeetParent {};
/// Runs hooks here, in the container's namespaces.
struct RunHooks {
  HookMoment moment = HookMoment::create_container;
  std::vector<SpecHook> hooks;
  std::string state;  ///< what they are told: a state document
};
/// Tells the parent, which ends then, that all is ready, and waits for the start.
struct AwaitStart {};
/// Replaces the process by the container's program.
struct Execute {
  std::vector<std::string> args;
  std::vector<std::string> env;  ///< HOME is added if it is not there
  std::uint32_t umask = 022;
};

}  // namespace step

using Step = std::variant<
    step::NewSession, step::IsolateMounts, step::EnterCgroup, step::Unshare, step::LoopbackUp,
    step::OpenProc, step::SetSysctl, step::SetHostname, step::SetDomainname, step::AttachRoot,
    step::UseRoot, step::ShareRoot, step::MountFilesystem, step::MountProc, step::MountCgroups,
    step::BindMount, step::Remount, step::ReadonlyMount, step::ProvideFile, step::MakeDevices,
    step::MakeLink, step::MakeDirectory, step::MakeFile, step::EnterRoot, step::ChangeRoot,
    step::SetRootPropagation, step::ReadonlyRoot, step::MaskPath, step::ReadonlyPath,
    step::OpenTerminal, step::ConnectStdio, step::ResolveUser, step::ChangeDirectory,
    step::SetNoNewPrivileges, step::CheckCapabilities, step::SetLabels, step::UseMountLabel,
    step::SetScheduler, step::SetIoPriority, step::SetPersonality, step::SetMemoryPolicy,
    step::SetLimits, step::LoadSeccomp, step::BecomeUser, step::FindProgram, step::MeetParent,
    step::RunHooks, step::AwaitStart, step::Execute>;

/// Whether a container ends with the process that started it.
enum class Lifetime { bound, independent };

/// What it takes to start one container.
struct Plan {
  std::vector<NamespaceKind> namespaces;    ///< the process is cloned into these
  std::vector<SpecNamespace> joined;        ///< and enters these before, by their paths
  std::vector<SpecIdMapping> uid_mappings;  ///< of its new user namespace
  std::vector<SpecIdMapping> gid_mappings;
  std::vector<SpecTimeOffset> time_offsets;  ///< of its new time namespace
  Lifetime lifetime = Lifetime::bound;
  bool terminal = false;                        ///< whether an OpenTerminal is among the steps
  std::optional<SpecConsoleSize> console_size;  ///< of that terminal
  /// For the parent, which has privileges that a user namespace has not: hard limits to be raised
  /// (raise_limits()) and the OOM score (set_oom_score()), both before the first step.
  std::vector<SpecRlimit> rlimits;
  std::optional<std::int32_t> oom_score_adj;
  /// The parent's, too: devices that move into the network namespace, and lists of the processors
  /// that the process may use before and after it has its cgroup; empty: as it is.
  std::vector<SpecNetDevice> net_devices;
  std::string initial_cpus;
  std::string final_cpus;
  std::string seccomp_cache;          ///< a directory for compiled filters; empty: none
  std::vector<std::string> warnings;  ///< what was asked for in vain
  unsigned preserved_fds = 0;         ///< descriptors from 3 on that the program inherits
  std::vector<Step> steps;
};

/// When the program starts.
enum class StartMode {
  at_once,
  when_told  ///< `create` and `start`
};

/// What a specification does not say.
struct PlanOptions {
  StartMode start = StartMode::at_once;
  Lifetime lifetime = Lifetime::bound;
  /// The state documents that hooks in the container's namespaces get.
  std::string create_container_state;
  std::string start_container_state;
  std::string bundle;  ///< where relative sources of mounts start
};

/// The plan of a container. Pure. Throws UsageError on what lade cannot do (unknown mount options).
Plan make_plan(const Spec& spec, const RootfsSource& root, const PlanOptions& options = {});

/// The plan of another process in a container whose specification, with that process in it, is
/// `spec`. Where the container is, is the caller's to say in Plan::joined; `root` is that of one
/// without a mount namespace. Pure.
Plan make_exec_plan(const Spec& spec, const std::string& root = {});

/// What a step does, in a few words for an error's context: `mount /proc`.
std::string name_of(const Step& step);

/// name_of() and every detail, on one line.
std::string describe(const Step& step);

/// The whole plan, one line per step, for `run --dry-run` and golden tests.
std::string dump(const Plan& plan);

}  // namespace lade::runner
