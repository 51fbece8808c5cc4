// The control group hierarchies that a host has: version 1 (each controller, or a few together, a
// mount of its own), version 2 (one mount for all), or both side by side ("hybrid").
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lade::runner {

/// One hierarchy, as mounted.
struct CgroupHierarchy {
  std::string name;  ///< the directory's name below /sys/fs/cgroup; empty is that itself
  /// Version 1: what it was mounted with, `memory`, `cpu` and `cpuacct`, `name=systemd`. Version 2:
  /// what can be enabled in it; known to find_cgroup_host() only.
  std::vector<std::string> controllers;
  int version = 1;
  std::string mount_point;
  std::string root = "/";  ///< the cgroup that the mount shows at its top
  std::string own;         ///< the caller's cgroup, below the mount point; empty: out of sight
};

enum class CgroupMode {
  none,    ///< nothing is mounted
  v1,      ///< version 1 only
  hybrid,  ///< version 1, and version 2 beside it with the controllers that the first has not
  v2       ///< version 2 only
};

/// What a host has. A value: to be found once and passed on.
struct CgroupHost {
  CgroupMode mode = CgroupMode::none;
  std::vector<CgroupHierarchy> hierarchies;

  /// The hierarchy that serves a controller (`memory`, `name=systemd`), or null.
  const CgroupHierarchy* find_controller(std::string_view controller) const;
  /// The version 2 hierarchy, or null.
  const CgroupHierarchy* find_unified() const;
  /// The same host with the hierarchies of one version only.
  CgroupHost only(int version) const;
};

/// The hierarchies in a mountinfo text, v1 sorted as mounted, `unified` among them. When there is
/// only cgroup2, at /sys/fs/cgroup itself, its name is empty. Pure.
std::vector<CgroupHierarchy> parse_cgroup_mounts(const std::string& mountinfo);

/// parse_cgroup_mounts(), with the caller's own places from a /proc/self/cgroup text, and with the
/// version 2 controllers from a cgroup.controllers text. Pure.
CgroupHost parse_cgroup_host(const std::string& mountinfo, const std::string& self_cgroup,
                             const std::string& v2_controllers);

/// What the host has mounted.
std::vector<CgroupHierarchy> find_cgroup_mounts();

/// What the host has, looked up now.
CgroupHost find_cgroup_host();

}  // namespace lade::runner
