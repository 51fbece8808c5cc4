// Where a container's cgroup is: linux.cgroupsPath turned into one path that is the same below the
// mount point of every hierarchy.
#pragma once

#include "runner/cgroups/host.hpp"

#include <string>
#include <string_view>

namespace lade::runner {

/// Who makes the cgroup.
enum class CgroupDriver {
  cgroupfs,  ///< this program, with mkdir
  systemd    ///< systemd, asked to start a scope
};

/// A path that may be made and removed below a mount point: absolute, clean, not `/` itself.
/// Throws InvalidData for `..`, for names that are too long, and for `/`.
std::string checked_cgroup_path(std::string_view path);

/// linux.cgroupsPath for the cgroupfs driver. Absolute: below the mount point of each hierarchy.
/// Relative: below the mount point too, as crun has it, since the caller's own cgroups may differ
/// from one hierarchy to the next. Empty: `/ID`. Throws InvalidData, also for the systemd form
/// `slice:prefix:name`, which names no directory.
std::string decide_cgroup_path(std::string_view cgroups_path, std::string_view id);

/// linux.cgroupsPath in systemd's form.
struct SystemdScope {
  std::string slice;  ///< `machine.slice`
  std::string unit;   ///< `libpod-ID.scope`
  std::string path;   ///< where systemd puts it: `/machine.slice/libpod-ID.scope`
};

/// Reads `slice:prefix:name`. An empty slice is `system.slice`, an empty prefix and name are `lade`
/// and the container's ID; a name that ends in `.slice` is the unit itself. Throws InvalidData.
SystemdScope parse_systemd_scope(std::string_view cgroups_path, std::string_view id);

/// The directory of a slice: `/a.slice/a-b.slice` for `a-b.slice`, `/` for `-.slice`. Throws
/// InvalidData for what is no name of a slice.
std::string expand_slice(std::string_view slice);

}  // namespace lade::runner
