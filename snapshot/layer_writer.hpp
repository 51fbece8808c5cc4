// Writes what is in a directory tree as a tar: a layer of what changed, or all of it. The same tree
// gives the same bytes. image-spec, layer.md.
#pragma once

#include "base/directory.hpp"
#include "base/observer.hpp"
#include "base/stream.hpp"
#include "base/tar_writer.hpp"
#include "snapshot/tree_changes.hpp"

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lade::snapshot {

/// How the tree becomes members.
struct LayerWriterOptions {
  /// No member is newer than that (SOURCE_DATE_EPOCH, seconds).
  std::optional<std::int64_t> latest = {};
};

/// Writes members one after the other.
class LayerWriter {
 public:
  /// `root` (seen as an image's process sees it, not in overlay form) and `out` must outlive it.
  LayerWriter(const Directory& root, Sink& out, const LayerWriterOptions& options, const Job& job);

  /// Writes what `path` is: the name in the tar, and of what is linked under several names the
  /// second one as a hard link. A socket, which no tar can hold, is left out with a warning; of a
  /// file that somebody is writing to, as many bytes are written as it had at first.
  /// Throws SystemError if it is not there, Cancelled.
  void add(const std::string& path);
  /// Writes that `path` is not there any more.
  void add_whiteout(const std::string& path);
  /// Ends the tar.
  void finish() { tar_.finish(); }

 private:
  const Directory& parent_at(const std::string& path);
  void add_inode(const Directory& parent, const std::string& name, const std::string& path);
  TarMember describe(const Fd& fd, const struct stat& st, const std::string& path) const;

  const Directory& root_;
  TarWriter tar_;
  LayerWriterOptions options_;
  const Job& job_;
  std::string parent_path_;  // of the directory that was used last
  Directory parent_;
  std::map<std::pair<dev_t, ino_t>, std::string> linked_;  // inodes with several names: the first
};

/// Writes a layer of `changes` (as compare_trees() orders them) to the tree `after`. Throws
/// InvalidData for a name that means a whiteout in a layer.
void write_layer(const Directory& after, const std::vector<Change>& changes, Sink& out,
                 const LayerWriterOptions& options, const Job& job);

/// Writes everything below `root`, itself left out.
void write_tree(const Directory& root, Sink& out, const LayerWriterOptions& options,
                const Job& job);

}  // namespace lade::snapshot
