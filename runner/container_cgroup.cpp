#include "runner/container_cgroup.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "runner/cgroups/path.hpp"
#include "runner/cgroups/systemd_bus.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>

namespace lade::runner {

namespace {

/// How long processes that were killed may take to be gone.
constexpr std::chrono::seconds k_patience{10};
constexpr std::size_t k_proc_cap = 4 * 1024 * 1024;

/// The modes of what is made are those that are asked for, while it lives.
class NoUmask {
 public:
  NoUmask() : before_(::umask(0)) {}
  NoUmask(const NoUmask&) = delete;
  NoUmask& operator=(const NoUmask&) = delete;
  ~NoUmask() { ::umask(before_); }

 private:
  mode_t before_;
};

/// The host's id of the container's root, if the container is to divide its own cgroup: it has a
/// user and a cgroup namespace of its own, and sees its cgroup writable. config-linux.md "Cgroup
/// ownership".
std::optional<uid_t> owner_of_cgroup(const Spec& spec) {
  const auto is_new = [&](NamespaceKind kind) {
    return std::ranges::any_of(spec.namespaces, [&](const SpecNamespace& each) {
      return each.kind == kind && each.path.empty();
    });
  };
  const bool is_writable = std::ranges::any_of(spec.mounts, [](const SpecMount& mount) {
    return mount.type == "cgroup" && std::ranges::count(mount.options, "ro") == 0;
  });
  if (!is_writable || !is_new(NamespaceKind::user) || !is_new(NamespaceKind::cgroup)) return {};
  for (const SpecIdMapping& each : spec.uid_mappings) {
    if (each.container == 0 && each.size > 0) return each.host;
  }
  return {};
}

SystemdInstance instance_of_caller() {
  return ::geteuid() == 0 ? SystemdInstance::system : SystemdInstance::user;
}

/// Where a process is, as systemd keeps track of it.
std::string tracked_path(pid_t process) {
  const std::string process_cgroups = read_file(str("/proc/", process, "/cgroup"), k_proc_cap);
  const CgroupHost host =
      parse_cgroup_host(read_file("/proc/self/mountinfo", k_proc_cap), process_cgroups, "");
  const CgroupHierarchy* hierarchy = host.find_controller("name=systemd");
  if (hierarchy == nullptr) hierarchy = host.find_unified();
  if (hierarchy == nullptr || hierarchy->own.empty()) {
    throw Error("the cgroup that systemd has made cannot be seen from here");
  }
  return hierarchy->own;
}

/// The cgroup of a scope that systemd makes for the container, in all hierarchies: also in those
/// that systemd leaves alone.
Cgroup make_scope(const Spec& spec, const CgroupHost& host, const KeeperProcess& keeper,
                  ContainerState& state) {
  const SystemdUnit unit = decide_systemd_unit(spec.cgroups_path, state.id, instance_of_caller());
  std::vector<SystemdProperty> properties = systemd_limits(spec.resources, host);
  for (SystemdProperty& each : annotated_properties(spec.annotations)) {
    properties.push_back(std::move(each));
  }
  SystemdManager(instance_of_caller())
      .start_scope(unit, keeper.pid(), str("lade container ", state.id), properties);
  state.systemd_unit = unit.name;
  return Cgroup::create(host, {.path = tracked_path(keeper.pid()),
                               .enable = controllers_to_enable(spec.resources, host),
                               .kept_by_systemd = true});
}

}  // namespace

NewCgroup make_container_cgroup(const Spec& spec, CgroupManager manager, ContainerState& state,
                                const std::function<void(const std::string&)>& warn) {
  const NoUmask no_umask;
  const CgroupHost host = find_cgroup_host();
  const CgroupChange change = convert_resources(spec.resources, host);
  const auto make = [&](std::unique_ptr<KeeperProcess> keeper) -> NewCgroup {
    if (keeper) return {make_scope(spec, host, *keeper, state), std::move(keeper)};
    return {Cgroup::create(host, {.path = decide_cgroup_path(spec.cgroups_path, state.id),
                                  .enable = controllers_to_enable(spec.resources, host)}),
            nullptr};
  };
  try {
    NewCgroup made =
        make(manager == CgroupManager::systemd ? std::make_unique<KeeperProcess>() : nullptr);
    const Cgroup& cgroup = made.cgroup;
    state.cgroup = cgroup.path();
    state.cgroup_parents = cgroup.made_parents();
    for (const std::string& text : cgroup.apply(change)) {
      if (warn) warn(text);
    }
    if (!spec.resources.devices.empty()) cgroup.apply_devices(spec.resources.devices);
    if (const auto owner = owner_of_cgroup(spec)) cgroup.delegate_to(*owner);
    return made;
  } catch (...) {
    remove_container_cgroup(state);
    throw;
  }
}

Cgroup open_container_cgroup(const ContainerState& state) {
  return Cgroup::open(find_cgroup_host(), state.cgroup);
}

void update_container_cgroup(const ContainerState& state, const SpecResources& resources,
                             const std::function<void(const std::string&)>& warn) {
  const CgroupHost host = find_cgroup_host();
  const Cgroup cgroup = Cgroup::open(host, state.cgroup);
  const CgroupChange change = convert_resources(resources, host, cgroup.present());
  if (!state.systemd_unit.empty()) {
    SystemdManager(instance_of_caller())
        .set_properties(state.systemd_unit, systemd_limits(resources, host));
  }
  for (const std::string& text : cgroup.apply(change)) {
    if (warn) warn(text);
  }
  if (!resources.devices.empty()) cgroup.apply_devices(resources.devices);
}

void remove_container_cgroup(const ContainerState& state) {
  if (!state.cgroup.empty()) {
    Cgroup cgroup = open_container_cgroup(state);
    if (cgroup.exists()) cgroup.kill_all(k_patience);
    // Where systemd keeps it, it goes with its last process; not where systemd does not look.
    if (cgroup.exists()) cgroup.remove(k_patience, state.cgroup_parents);
  }
  if (!state.systemd_unit.empty()) SystemdManager(instance_of_caller()).stop(state.systemd_unit);
}

}  // namespace lade::runner
