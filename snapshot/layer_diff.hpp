// A layer's tar, made of what was changed: in a bundle (compare_inodes()), between two trees
// (compare_trees()), or anywhere else; what the changes are is the caller's to find out.
// image-spec, layer.md, "Representing Changes".
#pragma once

#include "base/directory.hpp"
#include "base/observer.hpp"
#include "base/stream.hpp"
#include "snapshot/id_map.hpp"
#include "snapshot/inode_record.hpp"
#include "snapshot/tree_changes.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lade::snapshot {

/// What a layer says of a path.
enum class LayerEntryKind {
  present,  ///< it is as the inode at `source`
  removed,  ///< what the layers below have is gone: a whiteout
  opaque    ///< all that the layers below have in that directory is gone
};

struct LayerEntry {
  std::string path;  ///< in the image, without links; empty for the root
  LayerEntryKind kind = LayerEntryKind::present;
  std::string source = {};  ///< of `present`: the path below the source directory, without links
};

/// How exact times are: umoci and podman write whole seconds, though layers may say more.
enum class TarTimes { seconds, nanoseconds };

/// What becomes of a file that is made shorter while it is read: an error, or zeros in the place of
/// what is gone and a warning, as for the files of a running container.
enum class ShortFile { fails, padded };

/// How inodes become entries.
struct LayerDiffOptions {
  Ownership ownership = {};
  /// Times after this one (seconds) become it: SOURCE_DATE_EPOCH.
  std::optional<std::int64_t> newest = {};
  TarTimes times = TarTimes::seconds;
  ShortFile short_file = ShortFile::fails;
  /// The image's name of an attribute that is found; nothing for one that is not the image's.
  std::function<std::optional<std::string>(const std::string&)> xattr_name = {};
};

/// The entries for the changes of a tree against its specification; what is below `masked` (paths,
/// with or without a slash in front) is left out. Overlay's whiteouts (devices 0:0) are taken for
/// what they mean.
std::vector<LayerEntry> layer_entries(const std::vector<RecordChange>& changes,
                                      const InodeRecords& now,
                                      const std::vector<std::string>& masked);

/// The entries for what differs between two trees.
std::vector<LayerEntry> layer_entries(const std::vector<Change>& changes);

/// The entries for `source` below `root` (empty: all of it) as `target` in the image.
std::vector<LayerEntry> layer_entries_of(const Directory& root, const std::string& source,
                                         const std::string& target, const std::stop_token& stop);

/// A stream of the tar. The same tree and options give the same bytes: entries are sorted,
/// whiteouts before their siblings; user and group names are left out; of
/// several names of a file the first has the content. Sockets are left out, since no tar can have
/// them, and told of. `root` must outlive it. Reading throws InvalidData for what no layer can say,
/// such as a file whose name is a whiteout's.
std::unique_ptr<Source> make_layer(const Directory& root, std::vector<LayerEntry> entries,
                                   LayerDiffOptions options, const Job& job);

}  // namespace lade::snapshot
