// Hosts of each kind, as values, and changes as text.
#pragma once

#include "base/text.hpp"
#include "runner/cgroups/host.hpp"
#include "runner/cgroups/settings.hpp"

#include <string>
#include <vector>

namespace lade::runner::testing {

inline CgroupHost host_with(const std::vector<std::string>& v1,
                            const std::vector<std::string>& v2) {
  CgroupHost host;
  host.mode = v1.empty() ? CgroupMode::v2 : v2.empty() ? CgroupMode::v1 : CgroupMode::hybrid;
  for (const std::string& controller : v1) {
    CgroupHierarchy hierarchy;
    hierarchy.name = controller;
    hierarchy.controllers = {controller};
    hierarchy.mount_point = str("/sys/fs/cgroup/", controller);
    host.hierarchies.push_back(hierarchy);
  }
  if (!v2.empty()) {
    CgroupHierarchy hierarchy;
    hierarchy.version = 2;
    hierarchy.controllers = v2;
    hierarchy.mount_point = v1.empty() ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
    host.hierarchies.push_back(hierarchy);
  }
  return host;
}

inline CgroupHost v1_host() {
  return host_with({"cpu", "cpuset", "memory", "blkio", "pids", "hugetlb", "net_cls", "net_prio",
                    "rdma", "devices", "freezer"},
                   {});
}

inline CgroupHost v2_host() {
  return host_with({}, {"cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"});
}

/// `file=value`, with `?` before one that may be missing, `!` for a warning then, `~` for one that
/// is tried again, alternatives with ` or `.
inline std::vector<std::string> lines(const CgroupChange& change) {
  std::vector<std::string> lines;
  for (const CgroupSetting& setting : change.settings) {
    std::string line = setting.missing == CgroupSetting::Missing::nothing   ? "?"
                       : setting.missing == CgroupSetting::Missing::warning ? "!"
                                                                            : "";
    if (setting.turn == CgroupSetting::Turn::again_if_invalid) line += '~';
    std::string places;
    for (const CgroupSetting::Place& place : setting.places) {
      places += str(places.empty() ? "" : " or ", place.file, '=', place.value);
    }
    lines.push_back(line + places);
  }
  return lines;
}

}  // namespace lade::runner::testing
