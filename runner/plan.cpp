#include "runner/plan.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/plan_mounts.hpp"
#include "runner/plan_sysctl.hpp"
#include "runner/scheduling.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace lade::runner {

namespace {

/// Whether the container has a namespace of this kind, its own or one that it joins.
bool has(const Spec& spec, NamespaceKind kind) {
  return std::any_of(spec.namespaces.begin(), spec.namespaces.end(),
                     [&](const SpecNamespace& ns) { return ns.kind == kind; });
}

/// Whether the container has a new namespace of this kind.
bool has_new(const Spec& spec, NamespaceKind kind) {
  return std::any_of(spec.namespaces.begin(), spec.namespaces.end(),
                     [&](const SpecNamespace& ns) { return ns.kind == kind && ns.path.empty(); });
}

/// What the root's mount was asked to be, which it could not be during pivot_root.
void plan_propagation(const Spec& spec, std::vector<Step>& steps) {
  MountFlags flags;
  if (spec.rootfs_propagation.empty()) return;
  if (!parse_propagation(spec.rootfs_propagation, flags)) {
    throw UsageError(str("unknown propagation ", quoted(spec.rootfs_propagation), " of the root"));
  }
  steps.push_back(step::SetRootPropagation{flags});
}

void plan_hardening(const Spec& spec, std::vector<Step>& steps) {
  if (spec.readonly_rootfs) steps.push_back(step::ReadonlyRoot{});
  for (const std::string& path : spec.readonly_paths) steps.push_back(step::ReadonlyPath{path});
  for (const std::string& path : spec.masked_paths) steps.push_back(step::MaskPath{path});
}

/// Of variables with the same name the last one counts.
std::vector<std::string> distinct(const std::vector<std::string>& env) {
  const auto name_of = [](const std::string& text) {
    return std::string_view(text).substr(0, text.find('='));
  };
  std::vector<std::string> result;
  for (const std::string& text : env) {
    const auto same = std::find_if(result.begin(), result.end(), [&](const std::string& other) {
      return name_of(other) == name_of(text);
    });
    if (same == result.end()) {
      result.push_back(text);
    } else {
      *same = text;
    }
  }
  return result;
}

/// Lade's filter or the specification's own, or none.
void plan_seccomp(const Spec& spec, std::vector<Step>& steps) {
  if (spec.default_seccomp) {
    steps.push_back(step::LoadSeccomp{spec.process.capabilities.bounding, std::nullopt});
  } else if (spec.seccomp) {
    steps.push_back(step::LoadSeccomp{{}, spec.seccomp});
  }
}

/// How the kernel is to treat the program; before the privilege for it is given up.
void plan_treatment(const Spec& spec, std::vector<Step>& steps) {
  const SpecProcess& process = spec.process;
  if (!process.apparmor_profile.empty() || !process.selinux_label.empty()) {
    steps.push_back(step::SetLabels{process.apparmor_profile, process.selinux_label});
  }
  if (process.scheduler) {
    check_scheduler(*process.scheduler);
    steps.push_back(step::SetScheduler{*process.scheduler});
  }
  if (process.io_priority) steps.push_back(step::SetIoPriority{*process.io_priority});
  if (spec.personality) steps.push_back(step::SetPersonality{*spec.personality});
  if (spec.memory_policy) steps.push_back(step::SetMemoryPolicy{*spec.memory_policy});
}

/// From here on the process becomes the container's: the order is that of credentials(7), and the
/// filter comes while it may still be loaded without giving up new privileges.
void plan_process(const Spec& spec, const PlanOptions& options, std::vector<Step>& steps) {
  const SpecProcess& process = spec.process;
  steps.push_back(step::ResolveUser{process.user.text, process.user.ids});
  if (process.terminal) steps.push_back(step::OpenTerminal{});
  steps.push_back(step::ConnectStdio{});
  steps.push_back(step::ChangeDirectory{process.cwd});
  // Lade's own are known to be there.
  if (!process.capabilities.for_root_only) {
    steps.push_back(step::CheckCapabilities{process.capabilities});
  }
  plan_treatment(spec, steps);
  if (!process.no_new_privileges) plan_seccomp(spec, steps);
  steps.push_back(step::BecomeUser{process.capabilities});
  if (process.no_new_privileges) steps.push_back(step::SetNoNewPrivileges{});
  const std::vector<std::string> env = distinct(process.env);
  if (options.start == StartMode::when_told) {
    // Who creates wants to know already that there is nothing to start.
    if (!process.args.empty()) steps.push_back(step::FindProgram{process.args.front(), env});
    steps.push_back(step::AwaitStart{});
  }
  if (!spec.hooks.start_container.empty()) {
    steps.push_back(step::RunHooks{HookMoment::start_container, spec.hooks.start_container,
                                   options.start_container_state});
  }
  if (!process.rlimits.empty()) steps.push_back(step::SetLimits{process.rlimits});
  if (process.no_new_privileges) plan_seccomp(spec, steps);
  steps.push_back(step::Execute{process.args, env, process.user.umask.value_or(022)});
}

/// Entering the cgroup waits for lade, which makes it: as late as what looks at it allows.
void plan_cgroup(const Spec& spec, std::vector<Step>& steps) {
  const auto looks_at_it = [](const Step& step) {
    const auto* mount = std::get_if<step::MountFilesystem>(&step);
    return std::holds_alternative<step::MountCgroups>(step) ||
           (mount != nullptr && mount->type.starts_with("cgroup"));
  };
  std::vector<Step> entering{step::EnterCgroup{}};
  if (has_new(spec, NamespaceKind::cgroup)) {
    entering.push_back(step::Unshare{{NamespaceKind::cgroup}});
  }
  steps.insert(std::find_if(steps.begin(), steps.end(), looks_at_it), entering.begin(),
               entering.end());
}

/// What comes before the root is there. Without a mount namespace the mounts are the host's, which
/// must keep its root and what passes between its mounts.
void plan_root(const Spec& spec, const RootfsSource& root, std::vector<Step>& steps) {
  if (!has(spec, NamespaceKind::mount)) {
    const auto* directory = std::get_if<RootDirectory>(&root);
    if (directory == nullptr) throw UsageError("a root of layers needs a mount namespace");
    steps.push_back(step::ShareRoot{directory->path});
    return;
  }
  steps.push_back(step::IsolateMounts{});
  // The root is linked only where the configuration says so: it is lade's to unmount.
  const bool follows = !spec.rootfs_propagation.empty() && link_of(spec) == HostLink::receives;
  steps.push_back(step::AttachRoot{root, follows ? HostLink::receives : HostLink::none});
}

}  // namespace

Plan make_plan(const Spec& spec, const RootfsSource& root, const PlanOptions& options) {
  Plan plan;
  plan.lifetime = options.lifetime;
  plan.uid_mappings = spec.uid_mappings;
  plan.gid_mappings = spec.gid_mappings;
  plan.time_offsets = spec.time_offsets;
  plan.terminal = spec.process.terminal;
  plan.console_size = spec.process.console_size;
  plan.rlimits = spec.process.rlimits;
  plan.oom_score_adj = spec.process.oom_score_adj;
  plan.net_devices = spec.net_devices;
  // Where processors were given to the cgroup, those of whoever starts it are not meant.
  if (!spec.resources.cpu.cpus.empty()) plan.final_cpus = k_every_processor;
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
  if (has(spec, NamespaceKind::uts) && !spec.hostname.empty()) {
    steps.push_back(step::SetHostname{spec.hostname});
  }
  if (has(spec, NamespaceKind::uts) && !spec.domainname.empty()) {
    steps.push_back(step::SetDomainname{spec.domainname});
  }
  if (has_new(spec, NamespaceKind::network)) steps.push_back(step::LoopbackUp{});
  plan_root(spec, root, steps);
  steps.push_back(step::OpenProc{});
  if (!spec.mount_label.empty()) steps.push_back(step::UseMountLabel{spec.mount_label});
  plan_sysctl(spec, steps);
  plan_mounts(spec, options, plan);
  plan_cgroup(spec, steps);
  if (spec.process.create_cwd) steps.push_back(step::MakeDirectory{spec.process.cwd});
  if (!spec.hooks.prestart.empty() || !spec.hooks.create_runtime.empty()) {
    steps.push_back(step::MeetParent{});
  }
  if (!spec.hooks.create_container.empty()) {
    steps.push_back(step::RunHooks{HookMoment::create_container, spec.hooks.create_container,
                                   options.create_container_state});
  }
  if (has(spec, NamespaceKind::mount)) {
    steps.push_back(step::EnterRoot{});
  } else {
    steps.push_back(step::ChangeRoot{});
  }
  plan_propagation(spec, steps);
  plan_hardening(spec, steps);
  plan_process(spec, options, steps);
  return plan;
}

Plan make_exec_plan(const Spec& spec, const std::string& root) {
  Plan plan;
  plan.terminal = spec.process.terminal;
  plan.rlimits = spec.process.rlimits;
  plan.oom_score_adj = spec.process.oom_score_adj;
  plan.initial_cpus = spec.process.initial_cpus;
  plan.final_cpus = spec.process.final_cpus;
  plan.steps = {step::EnterCgroup{}, step::NewSession{}, step::UseRoot{root}, step::OpenProc{}};
  plan_process(spec, {}, plan.steps);
  return plan;
}

}  // namespace lade::runner
