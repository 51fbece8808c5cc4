#include "runner/container_cgroup.hpp"

#include "base/error.hpp"
#include "runner/cgroups/path.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <optional>

namespace lade::runner {

namespace {

/// How long processes that were killed may take to be gone.
constexpr std::chrono::seconds k_patience{10};

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

}  // namespace

Cgroup make_container_cgroup(const Spec& spec, ContainerState& state,
                             const std::function<void(const std::string&)>& warn) {
  const NoUmask no_umask;
  const CgroupHost host = find_cgroup_host();
  const CgroupChange change = convert_resources(spec.resources, host);
  Cgroup cgroup = Cgroup::create(host, {decide_cgroup_path(spec.cgroups_path, state.id),
                                        controllers_to_enable(spec.resources, host)});
  state.cgroup = cgroup.path();
  state.cgroup_parents = cgroup.made_parents();
  try {
    for (const std::string& text : cgroup.apply(change)) {
      if (warn) warn(text);
    }
    if (!spec.resources.devices.empty()) cgroup.apply_devices(spec.resources.devices);
    if (const auto owner = owner_of_cgroup(spec)) cgroup.delegate_to(*owner);
  } catch (...) {
    cgroup.remove(k_patience, cgroup.made_parents());
    throw;
  }
  return cgroup;
}

Cgroup open_container_cgroup(const ContainerState& state) {
  return Cgroup::open(find_cgroup_host(), state.cgroup);
}

void remove_container_cgroup(const ContainerState& state) {
  if (state.cgroup.empty()) return;
  Cgroup cgroup = open_container_cgroup(state);
  if (!cgroup.exists()) return;
  cgroup.kill_all(k_patience);
  cgroup.remove(k_patience, state.cgroup_parents);
}

}  // namespace lade::runner
