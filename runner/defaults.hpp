// What every container gets unless it is told otherwise, as lists.
#pragma once

#include "oci/runtime_spec.hpp"

#include <string>
#include <vector>

namespace lade::runner {

/// The capabilities that a container keeps: what daemons need to become another user, and little
/// else. Without MKNOD, NET_RAW and AUDIT_WRITE.
std::vector<std::string> default_capabilities();

/// Paths that would tell of the host or reach it; hidden.
std::vector<std::string> default_masked_paths();

/// Paths that would change the host; read-only.
std::vector<std::string> default_readonly_paths();

/// The devices that are in every /dev.
std::vector<SpecDevice> default_devices();

}  // namespace lade::runner
