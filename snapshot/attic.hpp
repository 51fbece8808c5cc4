// A directory of a tree's own root that no entry of a layer can reach. Inside snapshot/.
#pragma once

#include "base/directory.hpp"

#include <string_view>

namespace lade::snapshot {

/// Holds what waits until a layer is done. Its name begins as those of bookkeeping of aufs do,
/// which are left out, so that no entry has it; and no link may lead into it.
class Attic {
 public:
  /// `root` must outlive it.
  explicit Attic(const Directory& root) : root_(root) {}

  /// Whether `parent`/`name`, without links, is the attic itself.
  static bool is(std::string_view parent, std::string_view name);

  /// The directory, made when it is asked for.
  const Directory& open();
  /// It, if it was made: REQUIRES open() since the last clear().
  const Directory& directory() const noexcept { return directory_; }
  /// Removes it with all that is in it.
  void clear();

 private:
  const Directory& root_;
  Directory directory_;  // open while it is there
};

}  // namespace lade::snapshot
