// The OCI runtime configuration: what a container is, as config.json says it or as lade makes it of
// an image. runtime-spec, config.md and config-linux.md; member names follow it. What an absent
// member means is said where it is not "nothing".
#pragma once

#include "oci/runtime_resources.hpp"
#include "oci/runtime_seccomp.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lade {

/// linux.uidMappings[], linux.gidMappings[] and those of a mount.
struct SpecIdMapping {
  std::uint32_t container = 0;
  std::uint32_t host = 0;
  std::uint32_t size = 0;
};

/// mounts[]: what to mount where in the container.
struct SpecMount {
  std::string destination;
  std::string type;    ///< `proc`, `tmpfs`, `bind`, …
  std::string source;  ///< a host path for `bind`, relative to the bundle if not absolute
  std::vector<std::string> options;
  std::vector<SpecIdMapping> uid_mappings;
  std::vector<SpecIdMapping> gid_mappings;
};

/// The namespaces that a container can have of its own.
enum class NamespaceKind { pid, network, mount, ipc, uts, cgroup, user, time };

/// What the specification calls them, by their order.
inline constexpr std::array<std::string_view, 8> k_namespace_names{
    "pid", "network", "mount", "ipc", "uts", "cgroup", "user", "time"};

/// What the specification calls it.
constexpr std::string_view name_of(NamespaceKind kind) {
  return k_namespace_names.at(static_cast<std::size_t>(kind));
}

/// linux.namespaces[]: a new one, or with a path an existing one that is joined.
struct SpecNamespace {
  NamespaceKind kind = NamespaceKind::pid;
  std::string path;
};

/// process.user as numbers.
struct SpecUserIds {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> additional_gids;
};

/// process.user.
struct SpecUser {
  /// Lade's own: `user[:group]` as given, which the container's own passwd resolves; empty is root.
  std::string text;
  std::optional<SpecUserIds> ids;  ///< rule over `text`
  std::optional<std::uint32_t> umask;
};

/// linux.devices[].
struct SpecDevice {
  std::string path;
  char type = 'c';  ///< `c`, `b`, `u` or `p`
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint32_t mode = 0666;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

/// Lade's own: a small file over what the image has at `path`, such as /etc/hosts.
struct SpecFile {
  std::string path;
  std::string content;
};

/// process.capabilities, `CAP_…`.
struct SpecCapabilities {
  std::vector<std::string> bounding;
  std::vector<std::string> effective;
  std::vector<std::string> inheritable;
  std::vector<std::string> permitted;
  std::vector<std::string> ambient;
  /// Lade's own: whether `effective` and `permitted` are for a process of uid 0 only.
  bool for_root_only = false;
};

/// process.rlimits[].
struct SpecRlimit {
  std::string type;  ///< `RLIMIT_NOFILE`, …
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

/// process.scheduler; nanoseconds.
struct SpecScheduler {
  std::string policy;  ///< `SCHED_OTHER`, …
  std::optional<std::int32_t> nice;
  std::optional<std::int32_t> priority;
  std::vector<std::string> flags;
  std::optional<std::uint64_t> runtime;
  std::optional<std::uint64_t> deadline;
  std::optional<std::uint64_t> period;
};

/// process.ioPriority.
struct SpecIoPriority {
  std::string class_name;  ///< `IOPRIO_CLASS_BE`, …
  std::int32_t priority = 0;
};

/// process.consoleSize, in characters.
struct SpecConsoleSize {
  std::uint16_t height = 0;
  std::uint16_t width = 0;
};

/// process.
struct SpecProcess {
  bool terminal = false;
  std::optional<SpecConsoleSize> console_size;
  SpecUser user;
  std::vector<std::string> args;
  std::vector<std::string> env;  ///< `NAME=value`
  std::string cwd = "/";
  bool create_cwd = false;  ///< lade's own: whether a missing `cwd` is made, as runtimes do
  SpecCapabilities capabilities;
  std::vector<SpecRlimit> rlimits;
  bool no_new_privileges = false;
  std::optional<std::int32_t> oom_score_adj;  ///< absent: the caller's
  std::string apparmor_profile;
  std::string selinux_label;
  std::optional<SpecScheduler> scheduler;
  std::optional<SpecIoPriority> io_priority;
  /// process.execCPUAffinity: cpu lists for `exec`, before and after it joins the cgroup.
  std::string initial_cpus;
  std::string final_cpus;
};

/// One hook. runtime-spec, config.md "POSIX-platform Hooks".
struct SpecHook {
  std::string path;  ///< absolute
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::optional<std::uint32_t> timeout;  ///< seconds
};

/// hooks, each in the order of its execution.
struct SpecHooks {
  std::vector<SpecHook> prestart;
  std::vector<SpecHook> create_runtime;
  std::vector<SpecHook> create_container;
  std::vector<SpecHook> start_container;
  std::vector<SpecHook> poststart;
  std::vector<SpecHook> poststop;
};

/// linux.timeOffsets, for one clock.
struct SpecTimeOffset {
  std::string clock;  ///< `monotonic` or `boottime`
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
};

/// linux.netDevices: a network device of the host that moves into the container.
struct SpecNetDevice {
  std::string host_name;
  std::string name;  ///< in the container; empty: the same
};

/// linux.personality.
struct SpecPersonality {
  std::string domain;  ///< `LINUX` or `LINUX32`
};

/// linux.memoryPolicy.
struct SpecMemoryPolicy {
  std::string mode;  ///< `MPOL_…`
  std::string nodes;
  std::vector<std::string> flags;
};

/// linux.intelRdt.
struct SpecIntelRdt {
  std::string clos_id;  ///< empty: the container's id
  std::vector<std::string> schemata;
  std::string l3_cache_schema;
  std::string mem_bw_schema;
  bool enable_monitoring = false;
};

/// A whole container.
struct Spec {
  std::string version;    ///< ociVersion, for whoever asks; nothing depends on it
  std::string root_path;  ///< root.path, relative to the bundle if not absolute
  bool readonly_rootfs = false;
  SpecProcess process;
  std::string hostname;
  std::string domainname;
  std::vector<SpecMount> mounts;  ///< in the order in which they are made
  std::vector<SpecFile> files;    ///< made before the first bind mount; they need a /dev mount
  std::vector<SpecNamespace> namespaces;
  std::vector<SpecIdMapping> uid_mappings;
  std::vector<SpecIdMapping> gid_mappings;
  std::vector<SpecTimeOffset> time_offsets;
  std::vector<SpecDevice> devices;
  std::vector<SpecNetDevice> net_devices;
  std::string cgroups_path;
  SpecResources resources;
  std::string rootfs_propagation;  ///< `private`, `rslave`, …; empty: `private`
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::string mount_label;
  std::vector<std::pair<std::string, std::string>> sysctl;  ///< `net.ipv4.…` and its value
  /// Lade's own: whether the filter is lade's; it is `seccomp` otherwise, if that is there.
  bool default_seccomp = false;
  std::optional<SpecSeccomp> seccomp;
  std::optional<SpecPersonality> personality;
  std::optional<SpecMemoryPolicy> memory_policy;
  std::optional<SpecIntelRdt> intel_rdt;
  SpecHooks hooks;
  std::vector<std::pair<std::string, std::string>> annotations;
};

}  // namespace lade
