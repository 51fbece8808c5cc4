// The cgroup of a container in the runtime's terms: made for a specification, found again by what
// the state says.
#pragma once

#include "oci/runtime_spec.hpp"
#include "runner/cgroups/cgroup.hpp"
#include "runner/cgroups/keeper.hpp"
#include "runner/cgroups/manager.hpp"
#include "runner/cgroups/settings.hpp"
#include "runner/container_state.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lade::runner {

/// Writes down in `state` where the container's cgroup is going to be: it may be another's there
/// until NewCgroup::complete(). Throws InvalidData on a path that leads out.
void announce_container_cgroup(const Spec& spec, CgroupManager manager, ContainerState& state);

/// The cgroup of a container that is being made. Version 2 must be there when its first process is
/// born; the others, ten directories on a hybrid host, are made while that process mounts. What was
/// made stays until remove().
class NewCgroup {
 public:
  /// Makes what the first process is to be born into. `manager` is not `none`. Throws with nothing
  /// left.
  NewCgroup(const Spec& spec, CgroupManager manager, const std::string& id);
  /// What the host has of cgroups.
  const CgroupHost& host() const noexcept { return host_; }
  /// The version 2 cgroup, for the clone; none where there is no version 2.
  Fd birthplace() const { return cgroup_.entrance().unified; }

  /// Makes the rest, sets the limits, and completes `state`. What cannot be had although nothing was
  /// asked of it is told to `warn`. The result is what the first process enters by.
  std::vector<Fd> complete(ContainerState& state,
                           const std::function<void(const std::string&)>& warn);

  /// The first process is in it.
  void settle() { keeper_.reset(); }
  /// Kills what is still in it, and removes it. Throws Busy.
  void remove();

 private:
  Cgroup make(const std::string& id);

  const Spec& spec_;
  CgroupHost host_;
  CgroupChange change_;
  CgroupRequest request_;
  /// systemd's need a process in them until the container's is there.
  std::unique_ptr<KeeperProcess> keeper_;
  std::string unit_;  ///< systemd's name for it
  Cgroup cgroup_;
};

/// The cgroup of a container that exists; one that is nowhere if it has none.
Cgroup open_container_cgroup(const ContainerState& state);

/// Its entrance for another process beside `process`, which is in it: below it, where a container
/// that was given its cgroup has divided it, since then none can be in the cgroup itself (EBUSY).
CgroupEntrance entrance_beside(const Cgroup& cgroup, pid_t process);

/// Changes its limits: `resources` are those that are to change.
void update_container_cgroup(const ContainerState& state, const SpecResources& resources,
                             const std::function<void(const std::string&)>& warn);

/// Kills what is still in it, and removes it; of a container without a first process, only what is
/// empty. Throws Busy.
void remove_container_cgroup(const ContainerState& state);

}  // namespace lade::runner
