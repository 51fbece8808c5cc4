// Who makes the cgroups of containers.
#pragma once

namespace lade::runner {

/// Lade by the file system, systemd when lade asks it, or nobody: the container stays in lade's
/// own.
enum class CgroupManager { cgroupfs, systemd, none };

}  // namespace lade::runner
