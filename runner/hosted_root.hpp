// The root of a container that has no mount namespace of its own: its mounts are the host's, all of
// them below one that lade makes and unmounts.
#pragma once

#include "runner/rootfs.hpp"

#include <cstdint>
#include <string>

namespace lade::runner {

/// Binds a directory onto itself, linked to no other mount. The result names the mount for
/// detach_hosted_root(). Throws SystemError with nothing left.
std::uint64_t attach_hosted_root(const std::string& path);

/// Unmounts it with all that is mounted below it; nothing if it is not there any more, or something
/// else is.
void detach_hosted_root(const std::string& path, std::uint64_t mount);

/// Child: opens it. Throws Error if nothing is mounted there.
Rootfs share_root(const std::string& path);

/// Child: makes it this process's root directory, and of no other process.
void change_root(const Rootfs& root);

}  // namespace lade::runner
