#include "snapshot/graveyard.hpp"

namespace lade::snapshot {

void Graveyard::bury(const Directory& parent, const std::string& name, const std::string& path) {
  parent.rename(name, attic_.open(), std::to_string(next_));
  stones_[path] = next_++;
}

/// Of the stones of `path` and of all directories above it the one closest to it.
Graveyard::Stones::const_iterator Graveyard::stone_of(const std::string& path) const {
  if (stones_.empty()) return stones_.end();
  for (std::string at = path; !at.empty(); at = parent_of(at)) {
    if (const auto stone = stones_.find(at); stone != stones_.end()) return stone;
  }
  return stones_.end();
}

std::optional<Found> Graveyard::find(const std::string& path) const {
  const auto stone = stone_of(path);
  if (stone == stones_.end()) return std::nullopt;
  return look_in(attic_.directory(),
                 std::to_string(stone->second) + path.substr(stone->first.size()));
}

void Graveyard::clear() {
  attic_.clear();
  stones_.clear();
}

}  // namespace lade::snapshot
