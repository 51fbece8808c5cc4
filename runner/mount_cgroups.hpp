// The host's cgroup hierarchies as the container sees them, v1, v2 and both at once.
#pragma once

#include "runner/plan.hpp"
#include "runner/rootfs.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lade::runner {

/// One cgroup hierarchy that the host has mounted.
struct CgroupHierarchy {
  std::string name;  ///< the directory's name below /sys/fs/cgroup; empty is that itself
  std::vector<std::string> options;  ///< v1: its controllers, `name=systemd`
  int version = 1;
};

/// The hierarchies in a mountinfo text, v1 sorted as mounted, `unified` among them. When there is
/// only cgroup2, at /sys/fs/cgroup itself, its name is empty. Pure.
std::vector<CgroupHierarchy> parse_cgroup_mounts(const std::string& mountinfo);

/// Parent: what the host has mounted.
std::vector<CgroupHierarchy> find_cgroup_mounts();

/// Where a process is in a hierarchy, by its /proc/PID/cgroup: a path such as `/a/b`. Throws
/// NotFound. Pure.
std::string cgroup_in(const CgroupHierarchy& hierarchy, std::string_view self_cgroup);

/// Child: the step of that name. `proc` is a procfs of ours.
void mount_cgroups(const Rootfs& root, const std::vector<CgroupHierarchy>& hierarchies,
                   const Fd& proc, const step::MountCgroups& step);

}  // namespace lade::runner
