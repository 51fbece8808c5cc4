// What a layer removes of those below it stays at hand until the layer is done: its hard links may
// still mean it. Inside snapshot/.
#pragma once

#include "base/directory.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace lade::snapshot {

/// Keeps removed files in a directory of the root itself, whose name no entry of a layer can have:
/// names that begin so are bookkeeping of aufs, and left out.
class Graveyard {
 public:
  /// Where something is now.
  struct Site {
    Directory directory;
    std::string name;
  };

  explicit Graveyard(const Directory& root) : root_(root) {}

  /// Whether `parent`/`name`, without links, is the graveyard itself.
  static bool is(std::string_view parent, std::string_view name);

  /// Moves `name` of `parent` here, which was `path` and is not covered.
  void bury(const Directory& parent, const std::string& name, const std::string& path);
  /// Whether what was at `path` is here, with a directory above it or by itself.
  bool covers(const std::string& path) const { return stone_of(path) != stones_.end(); }
  /// What was at `path`; nothing if it is not here.
  std::optional<Site> find(const std::string& path) const;
  /// Removes everything.
  void clear();

 private:
  using Stones = std::map<std::string, std::uint64_t>;
  Stones::const_iterator stone_of(const std::string& path) const;

  const Directory& root_;
  Directory directory_;  // open while there is anything in it
  Stones stones_;        // path without links -> name
  std::uint64_t next_ = 0;
};

}  // namespace lade::snapshot
