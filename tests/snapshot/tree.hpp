// A file system tree as lines that can be compared: everything that an image decides, times and
// which names are one file included.
#pragma once

#include "tests/snapshot/harness.hpp"

#include <map>
#include <string>
#include <utility>

namespace lade::test {

/// One name of a tree.
struct TreePath {
  std::string line;               ///< describe(), and the time of the last change
  std::pair<dev_t, ino_t> inode;  ///< which file it is
};
using Tree = std::map<std::string, TreePath>;

inline std::string time_suffix(std::int64_t seconds, std::int64_t nanoseconds) {
  return str(" @", seconds, '.', nanoseconds);
}

inline void list_tree(Tree& tree, const Directory& directory, const std::string& prefix) {
  for (const std::string& name : directory.list()) {
    const auto st = directory.find_stat(name);
    TreePath path{describe(directory, name), {}};
    if (path.line.size() > 400) {
      path.line = str(path.line.substr(0, 20), " … ", Digest::of(path.line).text());
    }
    if (st) {
      path.line += time_suffix(st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
      path.inode = {st->st_dev, st->st_ino};
    }
    tree[prefix + name] = path;
    if (st && S_ISDIR(st->st_mode)) list_tree(tree, directory.child(name), prefix + name + "/");
  }
}

/// What is below `root`; the root itself is `/`.
inline Tree tree_of(const Directory& root) {
  const struct stat st = stat_of(root.handle(), "root");
  Tree tree;
  tree["/"] = {describe(root, ".") + time_suffix(st.st_mtim.tv_sec, st.st_mtim.tv_nsec),
               {st.st_dev, st.st_ino}};
  list_tree(tree, root, "");
  return tree;
}

/// Calls `look` with the root directory that a container of the image would have.
template <class Look>
void with_mounted(store::Store& store, const store::StoredImage& image, Look&& look) {
  static int next = 0;
  const auto container = snapshot::ContainerDirectory::create(store, image, str("tree-", next++),
                                                              snapshot::Lifetime::ephemeral);
  const Directory root(make_overlay_mount(container.overlay()), "merged");
  look(root);
}

/// The tree of a container's root directory.
inline Tree mounted_tree(store::Store& store, const store::StoredImage& image) {
  Tree tree;
  with_mounted(store, image, [&](const Directory& root) { tree = tree_of(root); });
  return tree;
}

/// What each name is, without which file it is.
inline std::map<std::string, std::string> lines_of(const Tree& tree) {
  std::map<std::string, std::string> lines;
  for (const auto& [name, path] : tree) lines[name] = path.line;
  return lines;
}

/// A name for each file: the first of its names. Equal for trees with the same hard links.
inline std::map<std::string, std::string> links_of(const Tree& tree) {
  std::map<std::pair<dev_t, ino_t>, std::string> first;
  std::map<std::string, std::string> result;
  for (const auto& [name, path] : tree) {
    result[name] = first.emplace(path.inode, name).first->second;
  }
  return result;
}

}  // namespace lade::test
