// What resolving a layer's paths by hand takes: their components, links, and sets of paths. Inside
// snapshot/.
#pragma once

#include "base/directory.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lade::snapshot {

/// How many links a path may lead through, as the kernel's own.
inline constexpr int k_link_cap = 40;

/// The path without its last component; empty for what is in the root.
std::string parent_of(const std::string& path);

/// Pushes the components of `path` so that the first comes off the back first.
void push_components(std::vector<std::string>& left, std::string_view path);

/// Where a symbolic link points. Throws SystemError.
std::string read_link(const Directory& parent, const std::string& name);

/// The directory at `path`, which has no links. Throws SystemError.
Directory open_without_links(const Directory& root, const std::string& path);

/// Erases `path` and everything below it from a map or set that is sorted by path.
template <class Sorted>
void erase_tree(Sorted& sorted, const std::string& path) {
  sorted.erase(path);
  const auto first = sorted.lower_bound(path + '/');
  const auto last = sorted.lower_bound(path + static_cast<char>('/' + 1));
  sorted.erase(first, last);
}

}  // namespace lade::snapshot
