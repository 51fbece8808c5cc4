// The text of a plan: what `run --dry-run` prints and golden tests compare.
#include "base/text.hpp"
#include "runner/octal.hpp"
#include "runner/plan.hpp"

#include <linux/mount.h>
#include <sys/mount.h>

#include <array>
#include <string_view>
#include <utility>

namespace lade::runner {

namespace {

std::string names_of(const std::vector<NamespaceKind>& kinds) {
  std::string text;
  for (const NamespaceKind kind : kinds) text += str(' ', name_of(kind));
  return text;
}

std::string text_of(const MountFlags& flags) {
  static constexpr std::array<std::pair<std::uint64_t, std::string_view>, 7> names{{
      {MOUNT_ATTR_RDONLY, "ro"},
      {MOUNT_ATTR_NOSUID, "nosuid"},
      {MOUNT_ATTR_NODEV, "nodev"},
      {MOUNT_ATTR_NOEXEC, "noexec"},
      {MOUNT_ATTR_NOATIME, "noatime"},
      {MOUNT_ATTR_STRICTATIME, "strictatime"},
      {MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow"},
  }};
  static constexpr std::array<std::pair<std::uint64_t, std::string_view>, 4> propagations{{
      {MS_PRIVATE, "private"},
      {MS_SLAVE, "slave"},
      {MS_SHARED, "shared"},
      {MS_UNBINDABLE, "unbindable"},
  }};
  std::string text;
  for (const auto& [flag, name] : names) {
    if ((flags.attributes & flag) != 0) text += str(' ', name);
  }
  if ((flags.deep_attributes | flags.deep_cleared) != 0) {
    for (const auto& [flag, name] : names) {
      if ((flags.deep_attributes & flag) != 0) text += str(' ', name);
    }
    text += " recursively";
  }
  for (const auto& [flag, name] : propagations) {
    if (flags.propagation == flag) text += str(flags.propagation_recursive ? " r" : " ", name);
  }
  return text;
}

std::string text_of(const std::vector<std::pair<std::string, std::string>>& options) {
  std::string text;
  for (const auto& [key, value] : options) {
    text += str(' ', printable(key));
    if (!value.empty()) text += str('=', printable(value));
  }
  return text;
}

std::string mappings_of(std::string_view name, const std::vector<SpecIdMapping>& mappings) {
  if (mappings.empty()) return {};
  std::string text(name);
  for (const SpecIdMapping& mapping : mappings) {
    text += str(' ', mapping.container, ':', mapping.host, '+', mapping.size);
  }
  return text;
}

/// Words as a shell would need them, so that the end of each can be seen.
std::string words_of(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += str(" '", printable(word), "'");
  return text;
}

/// The short name of each step.
struct Name {
  std::string operator()(const step::NewSession&) const { return "new session"; }
  std::string operator()(const step::IsolateMounts&) const { return "isolate mounts"; }
  std::string operator()(const step::EnterCgroup&) const { return "enter the cgroup"; }
  std::string operator()(const step::Unshare& s) const { return str("unshare", names_of(s.kinds)); }
  std::string operator()(const step::LoopbackUp&) const { return "loopback up"; }
  std::string operator()(const step::OpenProc&) const { return "open procfs"; }
  std::string operator()(const step::SetSysctl& s) const {
    return str("sysctl ", printable(s.name));
  }
  std::string operator()(const step::SetHostname&) const { return "hostname"; }
  std::string operator()(const step::SetDomainname&) const { return "domainname"; }
  std::string operator()(const step::AttachRoot&) const { return "root"; }
  std::string operator()(const step::MountFilesystem& s) const { return on("mount", s.target); }
  std::string operator()(const step::MountProc& s) const { return on("mount", s.target); }
  std::string operator()(const step::MountCgroups& s) const { return on("mount", s.target); }
  std::string operator()(const step::BindMount& s) const { return on("bind", s.target); }
  std::string operator()(const step::Remount& s) const { return on("remount", s.target); }
  std::string operator()(const step::ReadonlyMount& s) const {
    return on("read-only mount", s.target);
  }
  std::string operator()(const step::ProvideFile& s) const { return on("file", s.target); }
  std::string operator()(const step::MakeDevices&) const { return "devices"; }
  std::string operator()(const step::MakeLink& s) const { return on("link", s.path); }
  std::string operator()(const step::MakeDirectory& s) const { return on("directory", s.path); }
  std::string operator()(const step::UseRoot&) const { return "the root of the mount namespace"; }
  std::string operator()(const step::MakeFile& s) const { return on("empty file", s.path); }
  std::string operator()(const step::EnterRoot&) const { return "pivot root"; }
  std::string operator()(const step::ShareRoot&) const { return "root among the host's mounts"; }
  std::string operator()(const step::ChangeRoot&) const { return "change root"; }
  std::string operator()(const step::SetRootPropagation&) const { return "root propagation"; }
  std::string operator()(const step::ReadonlyRoot&) const { return "read-only root"; }
  std::string operator()(const step::MaskPath& s) const { return on("mask", s.path); }
  std::string operator()(const step::ReadonlyPath& s) const { return on("read-only", s.path); }
  std::string operator()(const step::OpenTerminal&) const { return "terminal"; }
  std::string operator()(const step::ConnectStdio&) const { return "stdio"; }
  std::string operator()(const step::ResolveUser&) const { return "user"; }
  std::string operator()(const step::ChangeDirectory&) const { return "working directory"; }
  std::string operator()(const step::SetNoNewPrivileges&) const { return "no new privileges"; }
  std::string operator()(const step::CheckCapabilities&) const { return "check capabilities"; }
  std::string operator()(const step::SetLabels&) const { return "labels"; }
  std::string operator()(const step::UseMountLabel&) const { return "label of mounts"; }
  std::string operator()(const step::SetScheduler&) const { return "scheduler"; }
  std::string operator()(const step::SetIoPriority&) const { return "I/O priority"; }
  std::string operator()(const step::SetPersonality&) const { return "personality"; }
  std::string operator()(const step::SetMemoryPolicy&) const { return "memory policy"; }
  std::string operator()(const step::SetLimits&) const { return "limits"; }
  std::string operator()(const step::LoadSeccomp&) const { return "seccomp"; }
  std::string operator()(const step::BecomeUser&) const { return "credentials"; }
  std::string operator()(const step::FindProgram& s) const {
    return str("find ", printable(s.name));
  }
  std::string operator()(const step::MeetParent&) const { return "hooks of the host's namespaces"; }
  std::string operator()(const step::RunHooks& s) const { return str(name_of(s.moment), " hooks"); }
  std::string operator()(const step::AwaitStart&) const { return "wait for the start"; }
  std::string operator()(const step::Execute&) const { return "exec"; }

  static std::string on(std::string_view verb, const std::string& path) {
    return str(verb, ' ', printable(path));
  }
};

/// What follows the name in a dump.
struct Details {
  template <class Other>
  std::string operator()(const Other&) const {
    return {};
  }
  std::string operator()(const step::SetSysctl& s) const { return str(" = ", printable(s.value)); }
  std::string operator()(const step::SetHostname& s) const { return str(' ', printable(s.name)); }
  std::string operator()(const step::SetDomainname& s) const { return str(' ', printable(s.name)); }
  std::string operator()(const step::ShareRoot& s) const { return str(' ', printable(s.path)); }
  std::string operator()(const step::AttachRoot& s) const {
    if (const auto* directory = std::get_if<RootDirectory>(&s.source)) {
      return str(" directory ", printable(directory->path),
                 s.link == HostLink::receives ? " rslave" : "");
    }
    const auto& overlay = std::get<OverlayConfig>(s.source);
    std::string text = str(" overlay lower", words_of(overlay.lowers));
    if (!overlay.upper.empty()) {
      text += str(" upper", words_of({overlay.upper}), " work", words_of({overlay.work}));
    }
    if (overlay.user_xattr) text += " userxattr";
    if (overlay.volatile_upper) text += " volatile";
    return text;
  }
  std::string operator()(const step::MountFilesystem& s) const {
    return str(' ', printable(s.type), text_of(s.flags), text_of(s.options),
               s.copies_up ? " with what lies there" : "");
  }
  std::string operator()(const step::MountProc& s) const { return str(" proc", text_of(s.flags)); }
  std::string operator()(const step::MountCgroups& s) const {
    return str(s.view == CgroupView::of_namespace ? " cgroups" : " own cgroups", text_of(s.flags));
  }
  std::string operator()(const step::BindMount& s) const {
    return str(" from ", printable(s.source), s.with_submounts ? " with submounts" : "",
               text_of(s.flags), mappings_of(" uids", s.uid_mappings),
               mappings_of(" gids", s.gid_mappings), s.maps_submounts ? " with submounts" : "");
  }
  std::string operator()(const step::Remount& s) const {
    return str(text_of(s.flags), text_of(s.options));
  }
  std::string operator()(const step::SetRootPropagation& s) const { return text_of(s.flags); }
  std::string operator()(const step::ProvideFile& s) const { return words_of({s.content}); }
  std::string operator()(const step::MakeDevices& s) const {
    std::string text;
    for (const SpecDevice& device : s.devices) {
      text += str(' ', printable(device.path), '=', device.type, device.major, ':', device.minor,
                  '/', octal(device.mode));
    }
    return text;
  }
  std::string operator()(const step::MakeLink& s) const { return str(" -> ", printable(s.target)); }
  std::string operator()(const step::ResolveUser& s) const {
    if (!s.ids) return str(' ', s.text.empty() ? "0" : printable(s.text));
    std::string text = str(' ', s.ids->uid, ':', s.ids->gid);
    for (const std::uint32_t group : s.ids->additional_gids) text += str(" +", group);
    return text;
  }
  std::string operator()(const step::SetLimits& s) const {
    std::string text;
    for (const SpecRlimit& limit : s.limits) {
      text += str(' ', limit.type, '=', limit.soft, ':', limit.hard);
    }
    return text;
  }
  std::string operator()(const step::SetLabels& s) const {
    return str(s.apparmor_profile.empty() ? "" : str(" apparmor ", printable(s.apparmor_profile)),
               s.selinux_label.empty() ? "" : str(" selinux ", printable(s.selinux_label)));
  }
  std::string operator()(const step::UseMountLabel& s) const {
    return str(' ', printable(s.label));
  }
  std::string operator()(const step::SetScheduler& s) const {
    const SpecScheduler& scheduler = s.scheduler;
    std::string text = str(' ', scheduler.policy, " nice ", scheduler.nice.value_or(0));
    if (scheduler.priority) text += str(" priority ", *scheduler.priority);
    if (scheduler.runtime || scheduler.deadline || scheduler.period) {
      text += str(" runtime ", scheduler.runtime.value_or(0), " deadline ",
                  scheduler.deadline.value_or(0), " period ", scheduler.period.value_or(0));
    }
    for (const std::string& flag : scheduler.flags) text += str(' ', flag);
    return text;
  }
  std::string operator()(const step::SetIoPriority& s) const {
    return str(' ', s.priority.class_name, ' ', s.priority.priority);
  }
  std::string operator()(const step::SetPersonality& s) const {
    return str(' ', s.personality.domain);
  }
  std::string operator()(const step::SetMemoryPolicy& s) const {
    std::string text = str(' ', s.policy.mode, " nodes ", s.policy.nodes);
    for (const std::string& flag : s.policy.flags) text += str(' ', flag);
    return text;
  }
  std::string operator()(const step::LoadSeccomp& s) const {
    if (!s.filter) return {};
    std::size_t count = 0;
    for (const SpecSyscallRule& rule : s.filter->syscalls) count += rule.names.size();
    return str(" else ", s.filter->default_action, ", ", count, " rules");
  }
  std::string operator()(const step::ChangeDirectory& s) const {
    return str(' ', printable(s.path));
  }
  std::string operator()(const step::BecomeUser& s) const {
    const SpecCapabilities& sets = s.capabilities;
    if (sets.for_root_only) return str(" capabilities ", join(sets.bounding, " "));
    std::string text;
    const auto add = [&](std::string_view name, const std::vector<std::string>& set) {
      if (!set.empty()) text += str(' ', name, ' ', printable(join(set, " ")));
    };
    add("bounding", sets.bounding);
    add("effective", sets.effective);
    add("inheritable", sets.inheritable);
    add("permitted", sets.permitted);
    add("ambient", sets.ambient);
    return text.empty() ? " without capabilities" : text;
  }
  std::string operator()(const step::RunHooks& s) const {
    std::string text;
    for (const SpecHook& hook : s.hooks) text += str(' ', printable(hook.path));
    return text;
  }
  std::string operator()(const step::Execute& s) const {
    return str(words_of(s.args), " with", words_of(s.env),
               s.umask == 022 ? "" : str(" umask ", octal(s.umask)));
  }
};

}  // namespace

std::string name_of(const Step& step) {
  return std::visit(Name{}, step);
}

std::string describe(const Step& step) {
  return name_of(step) + std::visit(Details{}, step);
}

std::string dump(const Plan& plan) {
  std::string text;
  for (const SpecNamespace& each : plan.joined) {
    text += str("join ", name_of(each.kind), ' ', printable(each.path), '\n');
  }
  text += str("clone", names_of(plan.namespaces), '\n');
  if (!plan.initial_cpus.empty()) text += str("first on processors ", plan.initial_cpus, '\n');
  if (!plan.final_cpus.empty()) text += str("on processors ", plan.final_cpus, '\n');
  for (const SpecNetDevice& device : plan.net_devices) {
    text += str("network device ", printable(device.host_name),
                device.name.empty() ? "" : str(" as ", printable(device.name)), '\n');
  }
  if (plan.oom_score_adj) text += str("OOM score ", *plan.oom_score_adj, '\n');
  for (const Step& step : plan.steps) text += str(describe(step), '\n');
  return text;
}

}  // namespace lade::runner
