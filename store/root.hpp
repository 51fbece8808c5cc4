// The directory that a store is: whether it may be one, and who uses it now.
#pragma once

#include "base/directory.hpp"

#include <string>

namespace lade::store {

/// Opens ROOT, which only its owner may enter; makes it (0700, whatever the umask) if nothing is
/// there. Throws InvalidData if it is a directory with other things in it, of a newer layout, or
/// somebody else's.
Directory open_root(const std::string& path);

/// A directory of the store right below `parent`, made (0700) if it is not there. Throws
/// InvalidData if it is somebody else's, or a file system of its own, into which nothing can be
/// renamed.
Directory open_part(const Directory& parent, const std::string& name);

/// Says that this process works with the index: a flock on the marker for as long as it lives.
class IndexUse {
 public:
  /// Together with others; waits while the index is being rebuilt.
  static IndexUse shared(const Directory& root);
  /// Without others. Throws Busy if another process uses the index.
  static IndexUse alone(const Directory& root);

  /// The same use once more: it ends with the last of them.
  IndexUse again() const { return IndexUse(duplicate(marker_)); }
  /// Lets go, in every process that inherited it.
  void end() const;

 private:
  explicit IndexUse(Fd marker) : marker_(std::move(marker)) {}
  Fd marker_;
};

}  // namespace lade::store
