// What a tree looks like, path by path: to be written down (mtree.hpp), and compared with later.
#pragma once

#include "base/directory.hpp"
#include "snapshot/entry.hpp"
#include "snapshot/flat.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace lade::snapshot {

enum class InodeType { directory, file, link, character, block, fifo, socket };

/// An inode; what is not known is not compared.
struct InodeRecord {
  std::optional<InodeType> type;
  std::optional<std::uint64_t> size;  ///< bytes
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
  std::optional<std::uint32_t> mode;  ///< the twelve permission bits
  std::optional<std::uint64_t> links;
  std::optional<std::int64_t> mtime;  ///< seconds
  std::string target;                 ///< of a link
  std::string sha256;                 ///< hex, of a file's content; empty: not known
  std::map<std::string, std::string> xattrs;
  bool whiteout = false;  ///< what overlay takes for "not there"
};

/// Orders paths as a walk meets them: a directory, all that is in it, and then what comes after it.
struct WalkOrder {
  bool operator()(std::string_view a, std::string_view b) const;
};

/// By path below the root, whose own is empty.
using InodeRecords = std::map<std::string, InodeRecord, WalkOrder>;

/// Goes through `root` and everything below it in WalkOrder. The content of files that `known` has
/// no digest of is read. Throws Cancelled.
void walk_tree(const Directory& root, const ContentDigests& known, const std::stop_token& stop,
               const std::function<void(const std::string& path, const InodeRecord&)>& visit);

/// The same of paths alone, without the root.
void walk_names(const Directory& root, const std::stop_token& stop,
                const std::function<void(const std::string& path)>& visit);

/// Whether a link in the last place of a path is followed.
enum class XattrLinks { followed, not_followed };

/// All extended attributes of what `path` names; `what` names it in messages.
std::map<std::string, std::string> read_xattrs(const std::string& path, XattrLinks links,
                                               const std::string& what);

/// How a path differs.
struct RecordChange {
  enum class Kind { added, modified, removed };
  std::string path;
  Kind kind = Kind::modified;
};

/// What `now` is unlike `before` in, in WalkOrder. What is removed with its directory is not named.
/// Size and links of directories, and what one side does not know, do not count.
std::vector<RecordChange> compare_inodes(const InodeRecords& before, const InodeRecords& now);

}  // namespace lade::snapshot
