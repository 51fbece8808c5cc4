// A container's cgroup as lines for bash; the container's first process is `$pid`. Pure.
#pragma once

#include "oci/runtime_resources.hpp"
#include "runner/cgroups/host.hpp"
#include "runner/cgroups/settings.hpp"

#include <string>
#include <vector>

namespace lade::runner {

/// A cgroup that is to be made.
struct ExplainedCgroup {
  std::string path;  ///< below each mount point
  CgroupHost host;
  std::vector<std::string> enable;  ///< as for CgroupRequest
  CgroupChange change;
  std::vector<SpecDeviceRule> devices;
};

/// The lines. What they cannot do is added to `missing`.
std::string cgroup_lines(const ExplainedCgroup& cgroup, std::vector<std::string>& missing);

}  // namespace lade::runner
