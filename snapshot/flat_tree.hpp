// One directory that layers are merged in, the bottom one first: whiteouts remove what the layers
// below have put there, and nothing that their own layer has. image-spec, layer.md.
#pragma once

#include "base/directory.hpp"
#include "snapshot/entry.hpp"
#include "snapshot/graveyard.hpp"
#include "snapshot/layer_tree.hpp"
#include "snapshot/metadata.hpp"
#include "snapshot/path_walk.hpp"
#include "snapshot/tree_builder.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace lade::snapshot {

/// What becomes of a link to a directory where an entry wants a directory.
enum class DirectoryLinks {
  replaced,
  kept  ///< the entry means the directory that the link leads to
};

/// What may be kept of a tree in memory; more is InvalidData.
struct FlatTreeLimits {
  std::uint64_t directories = k_directories_cap;    ///< bytes, of all of them until the end
  std::uint64_t names = std::uint64_t{512} << 20U;  ///< bytes, of what one layer puts and removes
};

/// Paths are resolved in the merged tree. Directories get their attributes at the very end, once.
class FlatTree final : public TreeBuilder {
 public:
  /// `root` is empty; `top` is what it looks like unless a layer describes it, and `made` the same
  /// of directories that no layer describes.
  FlatTree(const Directory& root, MetadataWriter& metadata, DirectoryLinks links,
           const Attributes& top, Attributes made, const FlatTreeLimits& limits = {});

  /// Another layer comes: what is there now is below it.
  void begin_layer();
  /// It is done: what it has removed goes for good.
  void end_layer();

  const Place& enter(const std::string& path) override;
  /// Nothing if there is no such directory.
  const Place* enter_for_whiteout(const std::string& path) override;
  const Place* find(const std::string& path) override;
  void put_directory(const Place& parent, const std::string& name,
                     const Attributes& attributes) override;
  void put_root(const Attributes& attributes) override;
  void clear(const Place& parent, const std::string& name) override;
  void added(const Place& parent, const std::string& name) override;
  void hide(const Place& parent, const std::string& name) override;
  void hide_all(const Place& place) override;
  std::optional<Found> find_present(const LayerPath& path) override;
  std::optional<Found> find_below(const LayerPath& path) override;

  /// Sets the attributes of all directories, the deepest first. Nothing may be put afterwards.
  void finish();

 private:
  enum class Purpose { entry, lookup };

  const Place* resolve(const std::string& path, Purpose purpose);
  std::optional<Place> walk(const std::string& path, Purpose purpose);
  bool step(Place& place, std::vector<std::string>& left, const std::string& name, Purpose purpose,
            int& links);
  void make_directory(const Directory& parent, const std::string& name, const std::string& path,
                      const Attributes& attributes);
  void remove(const Directory& parent, const std::string& parent_path, const std::string& name,
              const struct stat& st);
  void remove_own_files(const std::string& path);
  std::optional<Found> look_below(const std::string& path) const;
  void hide_below(const std::string& path);
  void forget_lower(const std::string& path);
  bool is_own(const std::string& path) const { return own_.count(path) > 0; }
  void note_own(const std::string& path);
  void note_attributes(const std::string& path, const Attributes& attributes);
  void count_name(const std::string& path);
  void forget_below(const std::string& path);

  const Directory& root_;
  MetadataWriter& metadata_;
  DirectoryLinks links_;
  Attributes made_;
  std::unordered_map<std::string, Place> cache_;
  std::map<std::string, Attributes> attributes_;  // of all directories, by path without links
  /// What this layer has put, and the directories that it is in; whether it describes the path.
  std::map<std::string, bool> own_;
  std::set<std::string> cleared_;  // directories in which only this layer's own is left
  Graveyard removed_;              // of the layers below, by this one
  std::uint64_t layers_ = 0;
  FlatTreeLimits limits_;
  std::uint64_t held_ = 0;   // bytes, roughly, that are kept of directories
  std::uint64_t names_ = 0;  // bytes of the paths in own_ and removed_
};

}  // namespace lade::snapshot
