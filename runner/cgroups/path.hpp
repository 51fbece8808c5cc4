// Where a container's cgroup is: linux.cgroupsPath turned into one path that is the same below the
// mount point of every hierarchy.
#pragma once

#include "runner/cgroups/host.hpp"

#include <string>
#include <string_view>

namespace lade::runner {

/// A path that may be made and removed below a mount point: absolute, clean, not `/` itself.
/// Throws InvalidData for `..`, for names that are too long, and for `/`.
std::string checked_cgroup_path(std::string_view path);

/// linux.cgroupsPath. Absolute: below the mount point of each hierarchy.
/// Relative: below the mount point too, as crun has it, since the caller's own cgroups may differ
/// from one hierarchy to the next. Empty: `/ID`. Throws InvalidData, also for the systemd form
/// `slice:prefix:name`, which names no directory.
std::string decide_cgroup_path(std::string_view cgroups_path, std::string_view id);

}  // namespace lade::runner
