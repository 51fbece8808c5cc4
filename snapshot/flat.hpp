// An image's layers unpacked into one directory, as bundles have it: no overlay, whiteouts are
// gone.
#pragma once

#include "base/directory.hpp"
#include "base/observer.hpp"
#include "oci/descriptor.hpp"
#include "oci/transport.hpp"
#include "snapshot/entry_applier.hpp"
#include "snapshot/flat_tree.hpp"
#include "snapshot/id_map.hpp"

#include <sys/types.h>

#include <string>
#include <unordered_map>
#include <vector>

namespace lade::snapshot {

/// SHA-256 digests (hex) of regular files, by inode, as they were written.
using ContentDigests = std::unordered_map<ino_t, std::string>;

/// How to unpack.
struct FlatOptions {
  Ownership ownership;
  DirectoryLinks links = DirectoryLinks::replaced;
  EntryLimits limits = {};
};

/// A layer, and what must come out of it.
struct FlatLayer {
  Descriptor blob;
  DiffId diff_id;
};

/// Unpacks `layers`, the bottom one first, into the empty directory `target`. Every blob's size and
/// digest is checked, and its DiffID; nothing of `target` may be used if this throws: Refused,
/// InvalidData for a layer that is malformed, not safe or has an owner that no map has, Cancelled.
ContentDigests unpack_flat(ImageSource& source, const std::vector<FlatLayer>& layers,
                           const Directory& target, const FlatOptions& options, const Job& job);

/// The same of one plain tar on top of nothing; its DiffID is nobody's to check. For tests.
ContentDigests unpack_flat(const std::vector<Source*>& tars, const Directory& target,
                           const FlatOptions& options, const Job& job);

/// The attribute in which owners are remembered that could not be given, as PRoot and other tools
/// read it.
inline constexpr const char* k_rootless_xattr = "user.rootlesscontainers";

}  // namespace lade::snapshot
