// The kernel's mount calls as the steps use them: what is mounted is made detached, changed by its
// descriptor, and attached within the container's root.
#pragma once

#include "base/fd.hpp"
#include "runner/plan.hpp"
#include "runner/rootfs.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace lade::runner {

/// A file system's own options; a value-less one has an empty value.
using MountData = std::vector<std::pair<std::string, std::string>>;

/// AT_RECURSIVE, which not all headers have.
inline constexpr unsigned k_recursive = 0x8000;

/// Below /proc, /sys and /dev nothing of an image may redirect a mount: what is found there is
/// trusted later on.
Links links_to(const std::string& target);

/// Changes a mount. `what` names it in the error.
void set_flags(const Fd& mount, const MountFlags& flags, const std::string& what);

/// A detached copy of the mount at a path (open_tree); `flags` are 0, k_recursive, AT_EMPTY_PATH,
/// ….
Fd clone_mount(int directory, const char* path, unsigned flags, const std::string& what);

/// Gives a file system context its options and then `command`.
void configure(const Fd& context, const MountData& options, unsigned command,
               const std::function<std::string()>& what);

/// A new detached file system with MOUNT_ATTR_* attributes.
Fd make_mount(const std::string& type, const std::string& source, const MountData& options,
              std::uint64_t attributes);

/// Attaches a detached mount within the root, at a target that fits what is mounted and is made if
/// it is not there.
void attach(const Rootfs& root, const Fd& mount, const std::string& target, Links links);
void attach(const Rootfs& root, const Fd& mount, const std::string& target);

/// The mount that is on top at `target`. Throws SystemError.
Fd open_mount(const Rootfs& root, const std::string& target);

}  // namespace lade::runner
