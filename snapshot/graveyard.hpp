// What a layer removes of those below it stays at hand until the layer is done: its hard links may
// still mean it. Inside snapshot/.
#pragma once

#include "base/directory.hpp"
#include "snapshot/attic.hpp"
#include "snapshot/path_walk.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace lade::snapshot {

/// Removed files, by the paths that they had.
class Graveyard {
 public:
  explicit Graveyard(const Directory& root) : attic_(root) {}

  /// Moves `name` of `parent` here, which was `path` and is not covered.
  void bury(const Directory& parent, const std::string& name, const std::string& path);
  /// Whether what was at `path` is here, with a directory above it or by itself.
  bool covers(const std::string& path) const { return stone_of(path) != stones_.end(); }
  /// What was at `path`; nothing if it is not here.
  std::optional<Found> find(const std::string& path) const;
  /// Removes everything.
  void clear();

 private:
  using Stones = std::map<std::string, std::uint64_t>;
  Stones::const_iterator stone_of(const std::string& path) const;

  Attic attic_;
  Stones stones_;  // path without links -> name
  std::uint64_t next_ = 0;
};

}  // namespace lade::snapshot
