// What resolving a layer's paths by hand takes: their components, links, and sets of paths. Inside
// snapshot/.
#pragma once

#include "base/directory.hpp"

#include <sys/stat.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::snapshot {

/// Something that is there.
struct Found {
  Directory directory;  ///< that it is in
  std::string name;
  struct stat st {};
  /// It was made just now, so that nothing that is known of its inode is of this file.
  bool is_new = false;
};

/// What there is at a path without links.
using Look = std::function<std::optional<Found>(const std::string& path)>;

/// How many links a path may lead through, as the kernel's own.
inline constexpr int k_link_cap = 40;

/// The path without its last component; empty for what is in the root.
std::string parent_of(const std::string& path);

/// Pushes the components of `path` so that the first comes off the back first.
void push_components(std::vector<std::string>& left, std::string_view path);

/// Where a symbolic link points. Throws SystemError.
std::string read_link(const Directory& parent, const std::string& name);

/// Opens `path` below `root` when no component of it is a link; nothing if there is no such thing.
std::optional<Fd> find_without_links(const Directory& root, const std::string& path, int flags);

/// The directory at `path`, which has no links. Throws SystemError.
Directory open_without_links(const Directory& root, const std::string& path);

/// The directory that `path` means to `look`, by its path without links, none of which leads out of
/// the root; nothing if there is none.
std::optional<std::string> follow_path(const std::string& path, const Look& look);

/// What is at `path`, which has no links.
std::optional<Found> look_in(const Directory& root, const std::string& path);

/// Erases `path` and everything below it from a map or set that is sorted by path.
template <class Sorted>
void erase_tree(Sorted& sorted, const std::string& path) {
  sorted.erase(path);
  const auto first = sorted.lower_bound(path + '/');
  const auto last = sorted.lower_bound(path + static_cast<char>('/' + 1));
  sorted.erase(first, last);
}

}  // namespace lade::snapshot
