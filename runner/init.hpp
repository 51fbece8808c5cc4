// The child half of launch(): the container's first process, from the clone to its program.
#pragma once

#include "runner/cgroups/cgroup.hpp"
#include "runner/channel.hpp"
#include "runner/mount_cgroups.hpp"
#include "runner/mounts.hpp"
#include "runner/plan.hpp"
#include "runner/seccomp.hpp"
#include "runner/stdio.hpp"

#include <vector>

namespace lade::runner {

/// What the parent has got ready for the steps, inherited by the clone.
struct Preparation {
  CgroupEntrance entrance;       ///< the cgroup to be in
  Fd start_listener;             ///< for AwaitStart
  std::vector<Fd> bind_sources;  ///< by the step's index
  std::vector<CgroupHierarchy> cgroups;
  ContainerStdio stdio;
  SeccompFilter seccomp;
};

/// Waits for the parent's word and takes the steps. Returns only on failure, of which the parent
/// was told; the result is an exit code for nobody.
int init_main(const Plan& plan, const Preparation& preparation, ChannelPair& channel) noexcept;

}  // namespace lade::runner
