// mtree(5) specifications, as umoci keeps one beside a root file system to find out later what was
// changed in it.
#pragma once

#include "base/stream.hpp"
#include "snapshot/inode_record.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace lade::snapshot {

/// A specification larger than this is refused unread (bytes).
inline constexpr std::size_t k_mtree_cap = std::size_t{1} << 30;

/// Writes a specification with umoci's keywords: size, type, uid, gid, mode, link, nlink, tar_time,
/// sha256digest, xattr.
class MtreeWriter {
 public:
  /// `out` must outlive it.
  explicit MtreeWriter(Sink& out) : out_(out) {}

  /// The next inode. REQUIRES: they come in WalkOrder, the root first.
  void add(const std::string& path, const InodeRecord& record);
  /// The end.
  void finish();

 private:
  void leave_down_to(const std::string& parent);

  Sink& out_;
  std::string directory_;  // that the next name is in, by path
  std::size_t depth_ = 0;  // how many directories are open
  std::string buffer_;
};

/// Reads a specification: relative and full names, `/set` and `/unset`, lines that go on. Keywords
/// that are not known do not count. Throws InvalidData.
InodeRecords parse_mtree(std::string_view text);

/// A name as mtree(5) has it: with octal escapes.
std::string escape_mtree(std::string_view name);
/// Its reverse, for all escapes of vis(3). Throws InvalidData.
std::string unescape_mtree(std::string_view text);

}  // namespace lade::snapshot
