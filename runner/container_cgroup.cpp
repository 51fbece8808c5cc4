#include "runner/container_cgroup.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "runner/caller.hpp"
#include "runner/cgroups/control.hpp"
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
/// How long for one that is about to end, where it may as well be somebody else's.
constexpr std::chrono::milliseconds k_patience_with_others{500};
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

/// The host's ids of a container's root.
struct CgroupOwner {
  uid_t user;
  gid_t group;
};

/// The host's ids of the container's root, if the container is to divide its own cgroup: it has a
/// user and a cgroup namespace of its own, and sees its cgroup writable. config-linux.md "Cgroup
/// ownership".
std::optional<CgroupOwner> owner_of_cgroup(const Spec& spec) {
  const auto is_new = [&](NamespaceKind kind) {
    return std::ranges::any_of(spec.namespaces, [&](const SpecNamespace& each) {
      return each.kind == kind && each.path.empty();
    });
  };
  const bool is_writable = std::ranges::any_of(spec.mounts, [](const SpecMount& mount) {
    return mount.type == "cgroup" && std::ranges::count(mount.options, "ro") == 0;
  });
  if (!is_writable || !is_new(NamespaceKind::user) || !is_new(NamespaceKind::cgroup)) return {};
  const auto root_of = [](const std::vector<SpecIdMapping>& mappings) -> std::optional<uid_t> {
    for (const SpecIdMapping& each : mappings) {
      if (each.container == 0 && each.size > 0) return each.host;
    }
    return {};
  };
  const auto user = root_of(spec.uid_mappings);
  if (!user) return {};
  return CgroupOwner{*user, root_of(spec.gid_mappings).value_or(static_cast<gid_t>(-1))};
}

SystemdInstance instance_of_caller() {
  return acts_for_system() ? SystemdInstance::system : SystemdInstance::user;
}

/// The hierarchies, with the places of a process in them as its own.
CgroupHost places_of(pid_t process) {
  const std::string process_cgroups = read_file(str("/proc/", process, "/cgroup"), k_proc_cap);
  return parse_cgroup_host(read_file("/proc/self/mountinfo", k_proc_cap), process_cgroups, "");
}

/// Where a process is, as systemd keeps track of it.
std::string tracked_path(pid_t process) {
  const CgroupHost host = places_of(process);
  const CgroupHierarchy* hierarchy = host.find_controller("name=systemd");
  if (hierarchy == nullptr) hierarchy = host.find_unified();
  if (hierarchy == nullptr || hierarchy->own.empty()) {
    throw Error("the cgroup that systemd has made cannot be seen from here");
  }
  return hierarchy->own;
}

}  // namespace

void announce_container_cgroup(const Spec& spec, CgroupManager manager, ContainerState& state) {
  if (manager == CgroupManager::cgroupfs) {
    state.cgroup = decide_cgroup_path(spec.cgroups_path, state.id);
  } else if (manager == CgroupManager::systemd) {
    state.systemd_unit =
        decide_systemd_unit(spec.cgroups_path, state.id, instance_of_caller()).name;
  }
}

NewCgroup::NewCgroup(const Spec& spec, CgroupManager manager, const std::string& id)
    : spec_(spec),
      host_(find_cgroup_host()),
      change_(convert_resources(spec.resources, host_)),
      request_{.path = {}, .enable = controllers_to_enable(spec.resources, host_)},
      keeper_(manager == CgroupManager::systemd ? std::make_unique<KeeperProcess>() : nullptr),
      cgroup_(make(id)) {}

Cgroup NewCgroup::make(const std::string& id) {
  const NoUmask no_umask;
  if (!keeper_) {
    request_.path = decide_cgroup_path(spec_.cgroups_path, id);
    return Cgroup::create(host_.only(2), request_);
  }
  const SystemdUnit unit = decide_systemd_unit(spec_.cgroups_path, id, instance_of_caller());
  std::vector<SystemdProperty> properties = systemd_limits(spec_.resources, host_);
  for (SystemdProperty& each : annotated_properties(spec_.annotations)) {
    properties.push_back(std::move(each));
  }
  SystemdManager systemd(instance_of_caller());
  systemd.start_scope(unit, keeper_->pid(), str("lade container ", id), properties);
  unit_ = unit.name;
  try {
    // The same one in all hierarchies, also in those that systemd leaves alone.
    request_.path = tracked_path(keeper_->pid());
    request_.kept_by_systemd = true;
    return Cgroup::create(host_.only(2), request_);
  } catch (...) {
    keeper_.reset();
    systemd.stop(unit_);
    throw;
  }
}

std::vector<Fd> NewCgroup::complete(ContainerState& state,
                                    const std::function<void(const std::string&)>& warn) {
  const NoUmask no_umask;
  cgroup_.extend(host_.only(1), request_);
  state.cgroup = cgroup_.path();
  state.cgroup_parents = cgroup_.made_parents();
  state.systemd_unit = unit_;
  for (const std::string& text : cgroup_.apply(change_)) {
    if (warn) warn(text);
  }
  if (!spec_.resources.devices.empty()) cgroup_.apply_devices(spec_.resources.devices);
  if (const auto owner = owner_of_cgroup(spec_)) cgroup_.delegate_to(owner->user, owner->group);
  return cgroup_.entrance().tasks;
}

void NewCgroup::remove() {
  keeper_.reset();
  cgroup_.kill_all(k_patience);
  cgroup_.remove(k_patience, cgroup_.made_parents());
  if (!unit_.empty()) SystemdManager(instance_of_caller()).stop(unit_);
}

Cgroup open_container_cgroup(const ContainerState& state) {
  if (state.cgroup.empty()) return {};
  return Cgroup::open(find_cgroup_host(), state.cgroup);
}

CgroupEntrance entrance_beside(const Cgroup& cgroup, pid_t process) {
  CgroupEntrance entrance = cgroup.entrance();
  const Directory* unified = cgroup.find_directory("cgroup");
  const bool is_divided =
      unified != nullptr && !find_control(*unified, "cgroup.subtree_control").value_or("").empty();
  if (!is_divided) return entrance;
  const CgroupHost host = places_of(process);
  const CgroupHierarchy* hierarchy = host.find_unified();
  // Elsewhere only if the process has ended, and its number is another's.
  if (hierarchy == nullptr || !hierarchy->own.starts_with(cgroup.path() + '/')) return entrance;
  Fd below(open_cgroup(open_mount_point(hierarchy->mount_point), hierarchy->own));
  if (below.valid()) entrance.unified = std::move(below);
  return entrance;
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
  Cgroup cgroup = open_container_cgroup(state);
  if (state.init.pid == 0) {
    // Its making was cut short, perhaps before it was known whether it is somebody else's.
    cgroup.remove_empty(k_patience_with_others, state.cgroup_parents);
  } else {
    if (cgroup.exists()) cgroup.kill_all(k_patience);
    // Where systemd keeps it, it goes with its last process; not where systemd does not look.
    if (cgroup.exists()) cgroup.remove(k_patience, state.cgroup_parents);
  }
  if (!state.systemd_unit.empty()) SystemdManager(instance_of_caller()).stop(state.systemd_unit);
}

}  // namespace lade::runner
