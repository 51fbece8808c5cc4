// A reference of what a stack of layers must look like: image-spec's layer.md as a tree in memory,
// with nothing of how it is done on disk.
#pragma once

#include "tests/snapshot/tar_builder.hpp"

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lade::test {

/// One member of a layer.
struct StackEntry {
  enum class Kind { file, directory, symlink, hardlink, fifo, device, whiteout, opaque };
  Kind kind = Kind::file;
  /// Without whiteout prefixes: what a whiteout hides, the directory that is made opaque. Empty for
  /// the root.
  std::string path;
  std::string data;  ///< content, or the target of a link
  std::uint32_t mode = 0644;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t seconds = 0;  ///< of the last change
  std::int64_t nanoseconds = 0;
  std::uint32_t minor = 0;  ///< of a device; its major is 1
  std::map<std::string, std::string> xattrs;

  bool hides() const { return kind == Kind::whiteout || kind == Kind::opaque; }
};

using StackLayer = std::vector<StackEntry>;

/// Layers, the bottom first.
struct Stack {
  std::uint64_t seed = 0;
  std::vector<StackLayer> layers;
};

/// What a stack must look like.
struct ExpectedTree {
  std::map<std::string, std::string> lines;  ///< as those of tree.hpp, the root `/`
  /// Which file a name is, if it is not a directory, and the layer that made the name: two names of
  /// one file need to be one in an overlay only if the same layer made both.
  std::map<std::string, std::pair<const void*, std::size_t>> files;
};

/// The tree that layers are applied to, one after the other.
class StackModel {
 public:
  struct Node;
  /// A name in a directory.
  struct Name {
    std::shared_ptr<Node> node;
    std::size_t layer = 0;  ///< the one that made it
  };
  struct Node {
    StackEntry entry;
    std::map<std::string, Name> names;  ///< of a directory
    bool is_directory() const { return entry.kind == StackEntry::Kind::directory; }
  };

  StackModel() : root_(std::make_shared<Node>(new_directory())) {}

  /// A copy that shares nothing but the files, which never change.
  StackModel clone() const {
    StackModel copy;
    copy.root_ = copy_of(*root_);
    copy.layers_ = layers_;
    return copy;
  }

  /// Whiteouts act on the layers below only, wherever they stand: so they come first.
  void begin_layer(const StackLayer& layer) {
    lower_ = copy_of(*root_);
    ++layers_;
    for (const StackEntry& entry : layer) {
      if (entry.kind == StackEntry::Kind::whiteout) {
        if (Node* parent = find_directory(parent_of(entry.path))) {
          parent->names.erase(base_of(entry.path));
        }
      } else if (entry.kind == StackEntry::Kind::opaque) {
        if (Node* directory = find_directory(entry.path)) directory->names.clear();
      }
    }
  }

  /// One entry that is not a whiteout.
  void put(const StackEntry& entry) {
    using Kind = StackEntry::Kind;
    if (entry.path.empty()) {
      root_->entry = entry;
      return;
    }
    if (entry.kind == Kind::hardlink) {
      Name* target = find(entry.data);
      // What the layer has removed can be linked to all the same, and stays removed.
      const Name link{target != nullptr ? target->node : find_removed(entry.data)->node, layers_};
      if (target != nullptr) target->layer = layers_;
      make_parent(entry.path).names[base_of(entry.path)] = link;
      return;
    }
    Name& name = make_parent(entry.path).names[base_of(entry.path)];
    const bool keep = entry.kind == Kind::directory && name.node && name.node->is_directory();
    if (!keep) name.node = std::make_shared<Node>();
    name.node->entry = entry;
    name.layer = layers_;
  }

  void apply(const StackLayer& layer) {
    begin_layer(layer);
    for (const StackEntry& entry : layer) {
      if (!entry.hides()) put(entry);
    }
  }

  Name* find(const std::string& path) { return find_in(root_.get(), path); }
  /// What the layers below the one at hand have, whatever that has removed.
  Name* find_removed(const std::string& path) { return find_in(lower_.get(), path); }

  ExpectedTree tree() const {
    ExpectedTree tree;
    tree.lines["/"] = line_of(root_->entry);
    list(tree, *root_, "");
    return tree;
  }
  /// The number of the layer that is being applied, from 1.
  std::size_t layers() const noexcept { return layers_; }

  static std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash);
  }
  static std::string base_of(const std::string& path) {
    return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  }

 private:
  /// A directory that nobody described: root's, 0755, of the epoch.
  static Node new_directory() {
    Node node;
    node.entry.kind = StackEntry::Kind::directory;
    node.entry.mode = 0755;
    return node;
  }

  static std::shared_ptr<Node> copy_of(const Node& node) {
    const auto result = std::make_shared<Node>();
    result->entry = node.entry;
    for (const auto& [name, child] : node.names) {
      result->names[name] = {child.node->is_directory() ? copy_of(*child.node) : child.node,
                             child.layer};
    }
    return result;
  }

  static Name* find_in(Node* root, const std::string& path) {
    Node* parent = find_directory_in(root, parent_of(path));
    if (parent == nullptr) return nullptr;
    const auto found = parent->names.find(base_of(path));
    return found == parent->names.end() ? nullptr : &found->second;
  }

  static Node* find_directory_in(Node* root, const std::string& path) {
    if (path.empty()) return root;
    Name* name = find_in(root, path);
    return name != nullptr && name->node->is_directory() ? name->node.get() : nullptr;
  }

  Node* find_directory(const std::string& path) { return find_directory_in(root_.get(), path); }

  Node& make_parent(const std::string& path) {
    const std::string parent = parent_of(path);
    if (parent.empty()) return *root_;
    Name& name = make_parent(parent).names[base_of(parent)];
    if (!name.node || !name.node->is_directory()) {
      name.node = std::make_shared<Node>(new_directory());
      name.layer = layers_;
    }
    return *name.node;
  }

  static std::string line_of(const StackEntry& entry) {
    using Kind = StackEntry::Kind;
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", entry.mode);
    const std::string id = str(entry.uid, ':', entry.gid);
    const std::string owner = str(mode, ' ', id);
    std::string line;
    if (entry.kind == Kind::directory) line = str("dir ", owner);
    if (entry.kind == Kind::file) line = str("file ", owner, ' ', entry.data);
    if (entry.kind == Kind::symlink) line = str("link ", id, ' ', entry.data);
    if (entry.kind == Kind::fifo) line = str("fifo ", owner, " 0:0");
    if (entry.kind == Kind::device) line = str("char ", owner, " 1:", entry.minor);
    for (const auto& [name, value] : entry.xattrs) line += str(' ', name, '=', value);
    return line + str(" @", entry.seconds, '.', entry.nanoseconds);
  }

  static void list(ExpectedTree& tree, const Node& node, const std::string& prefix) {
    for (const auto& [name, child] : node.names) {
      tree.lines[prefix + name] = line_of(child.node->entry);
      if (child.node->is_directory()) {
        list(tree, *child.node, prefix + name + "/");
      } else {
        tree.files[prefix + name] = {child.node.get(), child.layer};
      }
    }
  }

  std::shared_ptr<Node> root_;
  std::shared_ptr<Node> lower_ = std::make_shared<Node>();  ///< below the layer at hand
  std::size_t layers_ = 0;
};

/// What `stack` must look like.
inline ExpectedTree expected_tree(const Stack& stack) {
  StackModel model;
  for (const StackLayer& layer : stack.layers) model.apply(layer);
  return model.tree();
}

}  // namespace lade::test
