// The kernel's descriptor-based mount interface, as values and descriptors.
#pragma once

#include "base/fd.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace lade {

/// How a mount of an overlay is asked for. Kernels before 6.8 know no option for each layer, and
/// take all of them in one page.
enum class OverlayInterface {
  automatic,    ///< the first of these that the kernel has
  descriptors,  ///< fsopen(), `lowerdir+`, fsmount()
  page          ///< mount(), in a mount namespace of its own
};

/// As many layers as the kernel stacks.
inline constexpr std::size_t k_max_lowers = 500;

/// An overlay file system to be mounted.
struct OverlayConfig {
  std::vector<std::string> lowers;  ///< directories, the topmost layer first; at least one
  std::string upper;                ///< writable directory, or empty for a read-only overlay
  std::string work;                 ///< empty directory beside `upper`
  bool user_xattr = false;          ///< user.overlay.* instead of trusted.overlay.*
  bool volatile_upper = false;      ///< no syncs: for containers that are removed at their end
  OverlayInterface interface = OverlayInterface::automatic;
};

/// A detached overlay mount (fsopen, fsconfig "lowerdir+", fsmount): its descriptor is its root
/// directory, and attach_mount() puts it somewhere. A single lower without an upper is cloned as a
/// plain read-only bind mount, which overlay itself refuses. Throws SystemError with the kernel's
/// own words where it gives any, InvalidData for more than k_max_lowers layers.
Fd make_overlay_mount(const OverlayConfig& config);

/// Whether a mount can be written to.
enum class Writable { yes, no };

/// A detached mount of the directory `path`, as it is, without what is mounted below it.
Fd clone_mount(const std::string& path, Writable writable);

/// Attaches a detached mount over the directory (or file) that `target` is.
void attach_mount(const Fd& mount, const Fd& target, const std::string& what);

/// What becomes of a mount that is in use.
enum class MountInUse { refuses, detaches };

/// Unmounts what is mounted over `path`, which is not followed if it is a link. Throws SystemError:
/// EBUSY if it is in use, with MountInUse::refuses.
void unmount(const std::string& path, MountInUse in_use);

}  // namespace lade
