// How layers can be shown as one tree where a store is: found out by doing it.
#pragma once

#include "base/directory.hpp"
#include "base/mount.hpp"
#include "snapshot/metadata.hpp"
#include "store/store.hpp"

#include <string>

namespace lade::snapshot {

/// The two ways.
enum class SnapshotKind {
  overlay,  ///< layers unpacked once and stacked by a mount
  flat      ///< one directory for each image, with all layers in it
};

/// What probe_snapshots() found.
struct SnapshotSupport {
  SnapshotKind kind = SnapshotKind::flat;
  /// In which namespace of attributes, if it is overlay.
  OverlayXattrs xattrs = OverlayXattrs::trusted;
  /// How the mount was asked for, if it is overlay.
  OverlayInterface interface = OverlayInterface::descriptors;
  /// Why not overlay, in one line: what was tried and what the kernel said. Empty if it is overlay.
  std::string why;
};

/// Makes two layers with a whiteout and an opaque directory in a temporary directory in `place`,
/// mounts them by each interface in turn, and looks at what shows. Leaves nothing behind. Throws
/// SystemError only if `place` cannot be written to at all.
SnapshotSupport probe_snapshots(const Directory& place, OverlayXattrs xattrs);

/// How the images of a store can be shown to this process's containers. That overlay works is found
/// out once after each start of the machine, and remembered in the store.
SnapshotSupport find_support(const store::Store& store);

/// What a user is told where images are copied: that, and why.
std::string copy_note(const store::Store& store);

}  // namespace lade::snapshot
