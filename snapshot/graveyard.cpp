#include "snapshot/graveyard.hpp"

#include "snapshot/layer_path.hpp"
#include "snapshot/layer_tree.hpp"
#include "snapshot/path_walk.hpp"

#include <fcntl.h>

#include <utility>

namespace lade::snapshot {

namespace {

constexpr const char* k_name = ".wh..wh.lade";

}  // namespace

bool Graveyard::is(std::string_view parent, std::string_view name) {
  return parent.empty() && name == k_name;
}

void Graveyard::bury(const Directory& parent, const std::string& name, const std::string& path) {
  if (!directory_.handle().valid()) directory_ = root_.ensure_child(k_name, 0700);
  parent.rename(name, directory_, std::to_string(next_));
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

std::optional<Graveyard::Site> Graveyard::find(const std::string& path) const {
  const auto stone = stone_of(path);
  if (stone == stones_.end()) return std::nullopt;
  std::string here = std::to_string(stone->second);
  if (stone->first.size() == path.size()) {
    return Site{Directory(duplicate(directory_.handle()), directory_.path()), std::move(here)};
  }
  here += path.substr(stone->first.size());
  auto fd = find_without_links(directory_, parent_of(here), O_RDONLY | O_DIRECTORY);
  if (!fd) return std::nullopt;
  return Site{Directory(std::move(*fd), directory_.path_of(parent_of(here))),
              here.substr(here.rfind('/') + 1)};
}

void Graveyard::clear() {
  if (!directory_.handle().valid()) return;
  directory_ = Directory();
  root_.remove_tree(k_name);
  stones_.clear();
}

}  // namespace lade::snapshot
