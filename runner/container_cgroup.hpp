// The cgroup of a container in the runtime's terms: made for a specification, found again by what
// the state says.
#pragma once

#include "oci/runtime_spec.hpp"
#include "runner/cgroups/cgroup.hpp"
#include "runner/cgroups/keeper.hpp"
#include "runner/cgroups/manager.hpp"
#include "runner/container_state.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace lade::runner {

/// A cgroup that waits for its first process.
struct NewCgroup {
  Cgroup cgroup;
  /// systemd's need it until that process is there.
  std::unique_ptr<KeeperProcess> keeper;
};

/// Makes the cgroup that a specification asks for, with its limits, and writes down in `state`
/// where it is. What cannot be had although nothing was asked of it is told to `warn`. `manager` is
/// not `none`.
NewCgroup make_container_cgroup(const Spec& spec, CgroupManager manager, ContainerState& state,
                                const std::function<void(const std::string&)>& warn);

/// The cgroup of a container that exists; one that is nowhere if it has none.
Cgroup open_container_cgroup(const ContainerState& state);

/// Changes its limits: `resources` are those that are to change.
void update_container_cgroup(const ContainerState& state, const SpecResources& resources,
                             const std::function<void(const std::string&)>& warn);

/// Kills what is still in it, and removes it. Throws Busy.
void remove_container_cgroup(const ContainerState& state);

}  // namespace lade::runner
