// A layer's tar, made of what was changed: in a bundle (compare_inodes()), in the upper directory
// of an overlay, or anywhere else; what the changes are is the caller's to find out. image-spec,
// layer.md, "Representing Changes".
#pragma once

#include "base/directory.hpp"
#include "base/observer.hpp"
#include "base/stream.hpp"
#include "snapshot/id_map.hpp"
#include "snapshot/inode_record.hpp"

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

/// How inodes become entries.
struct LayerDiffOptions {
  Ownership ownership = {};
  /// Times after this one (seconds) become it: SOURCE_DATE_EPOCH.
  std::optional<std::int64_t> newest = {};
  /// The image's name of an attribute that is found; nothing for one that is not the image's.
  std::function<std::optional<std::string>(const std::string&)> xattr_name = {};
};

/// The entries for the changes of a tree against its specification; what is below `masked` (paths,
/// with or without a slash in front) is left out. Overlay's whiteouts (devices 0:0) are taken for
/// what they mean.
std::vector<LayerEntry> layer_entries(const std::vector<RecordChange>& changes,
                                      const InodeRecords& now,
                                      const std::vector<std::string>& masked);

/// The entries for `source` below `root` (empty: all of it) as `target` in the image.
std::vector<LayerEntry> layer_entries_of(const Directory& root, const std::string& source,
                                         const std::string& target, const std::stop_token& stop);

/// A stream of the tar. The same tree and options give the same bytes: entries are sorted,
/// whiteouts before their siblings; times are whole seconds; user and group names are left out; of
/// several names of a file the first has the content. Sockets are left out, since no tar can have
/// them, and told of. `root` must outlive it. Reading throws InvalidData for what no layer can say,
/// such as a file whose name is a whiteout's.
std::unique_ptr<Source> make_layer(const Directory& root, std::vector<LayerEntry> entries,
                                   LayerDiffOptions options, const Job& job);

}  // namespace lade::snapshot
