// Owners, modes, times and extended attributes of new inodes, in the one order that keeps them all.
#pragma once

#include "base/directory.hpp"
#include "base/observer.hpp"
#include "snapshot/entry.hpp"

#include <string>

namespace lade::snapshot {

/// Which namespace the overlay mounts of a store use: root's `trusted.overlay.`, or `user.overlay.`
/// (the mount option userxattr). A layer unpacked for the one is of no use to the other. `none`:
/// the tree is not for overlay, and every attribute keeps its name.
enum class OverlayXattrs { trusted, user, none };

/// The namespace that this process can use.
OverlayXattrs overlay_xattrs_of_process();

/// Where an inode is looked at: in a layer's own tree, in which some attributes are orders to the
/// overlay and those of the image are escaped, or through a mount, which shows the image's only.
enum class XattrsOf { layer, view };

/// Whether an attribute is the image's, and not how this host is to treat the file (labels,
/// integrity).
bool belongs_to_image(const std::string& name);

/// Sets attributes on inodes of one layer. Each method: owner, then xattrs (a change of owner drops
/// security.capability), then mode (a change of owner clears setuid), then times.
class MetadataWriter {
 public:
  /// `root` is where the layer's inodes are made; it tells which group they get by themselves.
  MetadataWriter(const Directory& root, OverlayXattrs overlay, Observer& observer);

  /// How what it wrote is to be read again.
  XattrsOf written() const noexcept {
    return overlay_ == OverlayXattrs::none ? XattrsOf::view : XattrsOf::layer;
  }

  /// Of an open file or directory.
  void apply(const Fd& fd, const Attributes& attributes, const std::string& path);
  /// Of anything, by a descriptor of its directory and its name, never following a link.
  void apply_at(const Directory& parent, const std::string& name, EntryType type,
                const Attributes& attributes, const std::string& path);

  /// Marks a directory as hiding all of the layers below.
  void set_opaque(const Fd& directory, const std::string& path);
  /// Marks a directory as one that may hold whiteouts, so that overlay filters them out of its
  /// listing even where no directory of that name lies below.
  void set_may_hold_whiteouts(const Fd& directory, const std::string& path);

 private:
  enum class Through { descriptor, link };
  void set_xattrs(int fd, Through through, const Attributes& attributes, const std::string& path);
  void set_overlay(const Fd& directory, const char* name, const std::string& value,
                   const std::string& path);
  bool owned_by_default(const Attributes& attributes) const;

  OverlayXattrs overlay_;
  Observer& observer_;
  uid_t default_uid_;
  gid_t default_gid_;
  bool warned_ = false;
};

/// Which of the two a directory is that layers are looked at through: one layer alone is no mount.
XattrsOf xattrs_of_tree(const Directory& root);

/// The attributes of an inode that is there as the image had them, without those of the overlay and
/// of the host. `fd` may be O_PATH.
Attributes read_attributes(const Fd& fd, const std::string& path, XattrsOf where = XattrsOf::layer,
                           OverlayXattrs overlay = overlay_xattrs_of_process());

}  // namespace lade::snapshot
