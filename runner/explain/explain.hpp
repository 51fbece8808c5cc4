// A plan as a shell script: `run --explain`. The script takes the plan's steps with the programs of
// util-linux, iproute2 and coreutils, and says so where there is no program for one. It is
// documentation, and what tests compare a container with.
#pragma once

#include "runner/cgroups/host.hpp"
#include "runner/explain/cgroup.hpp"
#include "runner/plan.hpp"
#include "runner/stdio.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lade::runner {

/// What lade finds out when it starts a container, and a script must be told.
struct ExplainFacts {
  std::string directory = "/";           ///< where relative paths of layers start
  std::vector<CgroupHierarchy> cgroups;  ///< for MountCgroups
  /// The attributes of the overlay's writable directory, which the script makes anew.
  std::uint32_t upper_mode = 0755;
  std::uint32_t upper_uid = 0;
  std::uint32_t upper_gid = 0;
  Stdin stdin_mode = Stdin::open;
  std::optional<ExplainedCgroup> cgroup;  ///< its own; none: the caller's
  std::vector<std::string> missing;       ///< what else the script cannot do
};

/// Looks at the host for what the plan's script needs. Throws SystemError.
ExplainFacts find_explain_facts(const Plan& plan, Stdin stdin_mode);

/// The cgroup that lade would make at `path` on this host, for ExplainFacts. Throws SystemError,
/// and as convert_resources().
ExplainedCgroup find_explained_cgroup(const SpecResources& resources, std::string path);

/// The script. Pure. Throws UsageError for a plan that no script can follow: a process in a
/// container that is there already, a container without a mount namespace of its own.
std::string explain(const Plan& plan, const ExplainFacts& facts);

}  // namespace lade::runner
