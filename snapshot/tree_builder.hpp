// Where the entries of a layer go: a tree in the form in which overlay stacks it (layer_tree.hpp),
// or the one directory that all layers are merged in (flat_tree.hpp).
#pragma once

#include "base/directory.hpp"
#include "snapshot/entry.hpp"
#include "snapshot/layer_path.hpp"
#include "snapshot/path_walk.hpp"

#include <optional>
#include <string>

namespace lade::snapshot {

/// Makes room for entries, and knows what whiteouts are in its form. Paths are resolved as in a
/// root directory that the layer is applied to; a link leads nowhere else.
class TreeBuilder {
 public:
  /// A directory of the tree, open. Valid until the next call that changes the tree.
  struct Place {
    Directory directory;
    std::string path;                   ///< without links; empty for the root
    bool maybe_only_whiteouts = false;  ///< when it was entered
  };

  virtual ~TreeBuilder() = default;
  /// The directory that `path` means, made with its parents if it is not there, for an entry in it.
  virtual const Place& enter(const std::string& path) = 0;
  /// The same for a whiteout; nothing if there is nothing that it could hide.
  virtual const Place* enter_for_whiteout(const std::string& path) = 0;
  /// The directory if it is there.
  virtual const Place* find(const std::string& path) = 0;

  /// Makes a directory, or keeps the one that is there, and notes what it will look like.
  virtual void put_directory(const Place& parent, const std::string& name,
                             const Attributes& attributes) = 0;
  /// Notes what the root will look like.
  virtual void put_root(const Attributes& attributes) = 0;
  /// Makes room for a new file: removes whatever has that name.
  virtual void clear(const Place& parent, const std::string& name) = 0;
  /// Hears of a file, link or node that was made.
  virtual void added(const Place& parent, const std::string& name) = 0;
  /// Hides `name` of the layers below, unless this layer has its own.
  virtual void hide(const Place& parent, const std::string& name) = 0;
  /// Hides all that the layers below have in `place`.
  virtual void hide_all(const Place& place) = 0;

  /// What the tree has at `path`, to be linked to.
  virtual std::optional<Found> find_present(const LayerPath& path) = 0;
  /// The same of what the layers below have or had there, whatever this layer has made of it, and
  /// which is not in the tree, or not any more. It can be linked to until the layer is done.
  virtual std::optional<Found> find_below(const LayerPath& path) = 0;
};

}  // namespace lade::snapshot
