// The host's cgroup hierarchies as the container sees them, v1, v2 and both at once.
#pragma once

#include "runner/cgroups/host.hpp"
#include "runner/plan.hpp"
#include "runner/rootfs.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lade::runner {

/// Where a process is in a hierarchy, by its /proc/PID/cgroup: a path such as `/a/b`. Throws
/// NotFound. Pure.
std::string cgroup_in(const CgroupHierarchy& hierarchy, std::string_view self_cgroup);

/// Child: the step of that name. `proc` is a procfs of ours.
void mount_cgroups(const Rootfs& root, const std::vector<CgroupHierarchy>& hierarchies,
                   const Fd& proc, const step::MountCgroups& step);

}  // namespace lade::runner
