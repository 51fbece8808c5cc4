// Files of the layers below that a layer's hard links mean, as files of the layer. Inside
// snapshot/.
#pragma once

#include "base/directory.hpp"
#include "snapshot/attic.hpp"
#include "snapshot/metadata.hpp"
#include "snapshot/path_walk.hpp"

#include <sys/types.h>

#include <map>
#include <string>
#include <utility>

namespace lade::snapshot {

/// Copies of them, one of each file whatever the names that it is linked by.
class LowerFiles {
 public:
  /// Copies wait in the attic of `root`. Both must outlive it.
  LowerFiles(const Directory& root, MetadataWriter& metadata) : attic_(root), metadata_(metadata) {}

  /// The copy of `file`, no directory, which is at `path` of `lower`.
  Found copy(const Directory& lower, const std::string& path, const Found& file);
  /// Where the layers below have the files that were copied: path without links -> copy.
  const std::map<std::string, std::string>& names() const noexcept { return names_; }
  /// Gives the copy `copy` a name more, unless it has as many as it may.
  void link(const std::string& copy, const Directory& parent, const std::string& name) const;
  /// What has no other name by now is gone.
  void clear();

 private:
  Attic attic_;
  MetadataWriter& metadata_;
  std::map<std::pair<dev_t, ino_t>, std::string> copies_;
  std::map<std::string, std::string> names_;
};

}  // namespace lade::snapshot
