#include "runner/plan.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <linux/mount.h>
#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <optional>

namespace lade::runner {

namespace {

/// A mount option that is an attribute of the mount. Prefixed with `r` it reaches submounts, too.
struct AttributeOption {
  std::string_view name;
  std::uint64_t set;
  std::uint64_t clear;
};

constexpr std::array<AttributeOption, 16> k_attributes{{
    {"ro", MOUNT_ATTR_RDONLY, 0},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC, 0},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"relatime", 0, MOUNT_ATTR__ATIME},
    {"atime", 0, MOUNT_ATTR__ATIME},
}};

struct PropagationOption {
  std::string_view name;
  std::uint64_t flag;
};

constexpr std::array<PropagationOption, 4> k_propagations{{{"private", MS_PRIVATE},
                                                           {"slave", MS_SLAVE},
                                                           {"shared", MS_SHARED},
                                                           {"unbindable", MS_UNBINDABLE}}};

/// The options of one mount, sorted into what the kernel takes in different calls.
struct ParsedOptions {
  MountFlags flags;
  bool with_submounts = false;
  std::vector<std::pair<std::string, std::string>> data;
};

void add(MountFlags& flags, const AttributeOption& option) {
  flags.attributes = (flags.attributes & ~option.clear) | option.set;
  flags.cleared = (flags.cleared & ~option.set) | option.clear;
}

bool parse_attribute(std::string_view text, MountFlags& flags) {
  for (const AttributeOption& option : k_attributes) {
    const bool recursive = text.size() == option.name.size() + 1 && text.front() == 'r' &&
                           text.substr(1) == option.name;
    if (text != option.name && !recursive) continue;
    add(flags, option);
    flags.recursive = flags.recursive || recursive;
    return true;
  }
  return false;
}

bool parse_propagation(std::string_view text, MountFlags& flags) {
  for (const PropagationOption& option : k_propagations) {
    const bool recursive = text.size() == option.name.size() + 1 && text.front() == 'r' &&
                           text.substr(1) == option.name;
    if (text != option.name && !recursive) continue;
    flags.propagation = option.flag;
    flags.propagation_recursive = recursive;
    return true;
  }
  return false;
}

ParsedOptions parse_options(const SpecMount& mount) {
  ParsedOptions parsed;
  for (const std::string& option : mount.options) {
    if (option == "defaults" || option == "silent" || option == "loud") continue;
    if (option == "bind" || option == "rbind") {
      parsed.with_submounts = option == "rbind";
    } else if (!parse_attribute(option, parsed.flags) && !parse_propagation(option, parsed.flags)) {
      const auto equals = option.find('=');
      parsed.data.emplace_back(option.substr(0, equals),
                               equals == std::string::npos ? "" : option.substr(equals + 1));
    }
  }
  return parsed;
}

Step mount_step(const SpecMount& mount) {
  ParsedOptions parsed = parse_options(mount);
  if (mount.type == "bind" || mount.type.empty()) {
    if (!parsed.data.empty()) {
      throw UsageError(str("mount on ", quoted(mount.destination), ": unknown option ",
                           quoted(parsed.data.front().first)));
    }
    return step::BindMount{mount.source, mount.destination, parsed.flags, parsed.with_submounts};
  }
  if (mount.type == "proc") return step::MountProc{mount.destination, parsed.flags};
  if (mount.type == "cgroup") return step::MountCgroups{mount.destination, parsed.flags};
  // devpts has been a new instance on every mount since Linux 4.7; the word is an error to
  // fsconfig.
  std::erase_if(parsed.data, [](const auto& option) { return option.first == "newinstance"; });
  return step::MountFilesystem{mount.type, mount.source, mount.destination, std::move(parsed.data),
                               parsed.flags};
}

/// Whether the container has a new namespace of this kind.
bool has_new(const Spec& spec, NamespaceKind kind) {
  return std::any_of(spec.namespaces.begin(), spec.namespaces.end(),
                     [&](const SpecNamespace& ns) { return ns.kind == kind && ns.path.empty(); });
}

/// The files need the container's own /dev; the binds may want to lie over them.
void plan_files(const Spec& spec, std::vector<Step>& steps) {
  for (const SpecFile& file : spec.files) {
    steps.push_back(step::ProvideFile{file.path, file.content});
  }
}

void plan_mounts(const Spec& spec, std::vector<Step>& steps) {
  bool files_planned = false;
  for (const SpecMount& mount : spec.mounts) {
    if (mount.type == "bind" && !files_planned) {
      plan_files(spec, steps);
      files_planned = true;
    }
    steps.push_back(mount_step(mount));
    if (mount.destination != "/dev") continue;
    steps.push_back(step::MakeDevices{spec.devices});
    steps.push_back(step::MakeLink{"/dev/fd", "/proc/self/fd"});
    steps.push_back(step::MakeLink{"/dev/stdin", "/proc/self/fd/0"});
    steps.push_back(step::MakeLink{"/dev/stdout", "/proc/self/fd/1"});
    steps.push_back(step::MakeLink{"/dev/stderr", "/proc/self/fd/2"});
    steps.push_back(step::MakeLink{"/dev/ptmx", "pts/ptmx"});
  }
  if (!files_planned) plan_files(spec, steps);
}

void plan_hardening(const Spec& spec, std::vector<Step>& steps) {
  if (spec.readonly_rootfs) steps.push_back(step::ReadonlyRoot{});
  for (const std::string& path : spec.readonly_paths) steps.push_back(step::ReadonlyPath{path});
  for (const std::string& path : spec.masked_paths) steps.push_back(step::MaskPath{path});
}

/// From here on the process becomes the container's: the order is that of credentials(7), and the
/// filter comes while it may still be loaded without giving up new privileges.
void plan_process(const Spec& spec, const PlanOptions& options, std::vector<Step>& steps) {
  const SpecProcess& process = spec.process;
  steps.push_back(step::ResolveUser{process.user.text});
  if (process.terminal) steps.push_back(step::OpenTerminal{});
  steps.push_back(step::ConnectStdio{});
  steps.push_back(step::ChangeDirectory{process.cwd});
  if (spec.default_seccomp && !process.no_new_privileges) {
    steps.push_back(step::LoadSeccomp{process.capabilities.bounding});
  }
  steps.push_back(step::BecomeUser{process.capabilities.bounding});
  if (process.no_new_privileges) steps.push_back(step::SetNoNewPrivileges{});
  if (options.start == StartMode::when_told) steps.push_back(step::AwaitStart{});
  if (!spec.hooks.start_container.empty()) {
    steps.push_back(step::RunHooks{HookMoment::start_container, spec.hooks.start_container,
                                   options.start_container_state});
  }
  if (spec.default_seccomp && process.no_new_privileges) {
    steps.push_back(step::LoadSeccomp{process.capabilities.bounding});
  }
  steps.push_back(step::Execute{process.args, process.env});
}

}  // namespace

Plan make_plan(const Spec& spec, const RootfsSource& root, const PlanOptions& options) {
  Plan plan;
  plan.lifetime = options.lifetime;
  plan.uid_mappings = spec.uid_mappings;
  plan.gid_mappings = spec.gid_mappings;
  plan.time_offsets = spec.time_offsets;
  plan.terminal = spec.process.terminal;
  for (const SpecNamespace& ns : spec.namespaces) {
    // A cgroup namespace is rooted where its first process is, so the process must be placed first.
    if (!ns.path.empty()) {
      plan.joined.push_back(ns);
    } else if (ns.kind != NamespaceKind::cgroup) {
      plan.namespaces.push_back(ns.kind);
    }
  }
  std::vector<Step>& steps = plan.steps;
  steps.push_back(step::NewSession{});
  if (has_new(spec, NamespaceKind::cgroup)) {
    steps.push_back(step::Unshare{{NamespaceKind::cgroup}});
  }
  if (has_new(spec, NamespaceKind::uts) && !spec.hostname.empty()) {
    steps.push_back(step::SetHostname{spec.hostname});
  }
  if (has_new(spec, NamespaceKind::network)) steps.push_back(step::LoopbackUp{});
  steps.push_back(step::IsolateMounts{});
  steps.push_back(step::AttachRoot{root});
  steps.push_back(step::OpenProc{});
  for (const auto& [name, value] : spec.sysctl) steps.push_back(step::SetSysctl{name, value});
  plan_mounts(spec, steps);
  if (spec.process.create_cwd) steps.push_back(step::MakeDirectory{spec.process.cwd});
  if (!spec.hooks.prestart.empty() || !spec.hooks.create_runtime.empty()) {
    steps.push_back(step::MeetParent{});
  }
  if (!spec.hooks.create_container.empty()) {
    steps.push_back(step::RunHooks{HookMoment::create_container, spec.hooks.create_container,
                                   options.create_container_state});
  }
  steps.push_back(step::EnterRoot{});
  plan_hardening(spec, steps);
  plan_process(spec, options, steps);
  return plan;
}

Plan make_exec_plan(const Spec& spec) {
  Plan plan;
  plan.terminal = spec.process.terminal;
  plan.steps = {step::NewSession{}, step::UseRoot{}, step::OpenProc{}};
  plan_process(spec, {}, plan.steps);
  return plan;
}

}  // namespace lade::runner
