// The directory that a layer is unpacked into: how its paths become directories, which of those
// nobody has described, and what of the layers below it hides.
#pragma once

#include "base/directory.hpp"
#include "snapshot/entry.hpp"
#include "snapshot/metadata.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lade::snapshot {

/// Bytes that are kept of a layer's directories: some 500,000 of them with everyday names.
inline constexpr std::uint64_t k_directories_cap = std::uint64_t{256} << 20U;

/// A directory that a layer implies by naming something in it.
struct ImpliedDirectory {
  std::string path;  ///< without links
  /// Only whiteouts name it: unless there is such a directory below, it should not be there.
  bool only_whiteouts = false;
};

/// Opens `path` below `root` when no component of it is a link; nothing if there is no such thing.
std::optional<Fd> find_without_links(const Directory& root, const std::string& path, int flags);

/// Whether it is what overlay takes for "not there".
bool is_whiteout(const struct stat& st);

/// Paths are resolved as in a root directory that this layer was applied to; a link leads nowhere
/// else. Directories stay open in a cache that is dropped whenever a directory or a link goes.
class LayerTree {
 public:
  /// `lower`: what the layers below look like, or null to take them for empty.
  /// `memory` (bytes): what may be kept of directories until the end; more is InvalidData.
  LayerTree(const Directory& root, const Directory* lower, MetadataWriter& metadata,
            std::uint64_t memory = k_directories_cap)
      : root_(root), lower_(lower), metadata_(metadata), memory_(memory) {}

  /// A directory of the layer, open. Valid until the next call that changes the tree.
  struct Place {
    Directory directory;
    std::string path;                   ///< without links; empty for the root
    bool maybe_only_whiteouts = false;  ///< when it was entered
  };

  /// The directory that `path` means, made with its parents if it is not there, for an entry in it.
  const Place& enter(const std::string& path);
  /// The same for a whiteout; nothing if this layer has hidden that directory already.
  const Place* enter_for_whiteout(const std::string& path);
  /// The directory if this layer has it.
  const Place* find(const std::string& path);

  /// Makes a directory, or keeps the one that is there, and notes what it will look like.
  void put_directory(const Place& parent, const std::string& name, const Attributes& attributes);
  /// Notes what the root will look like.
  void put_root(const Attributes& attributes);
  /// Makes room for a new file: removes whatever has that name.
  void clear(const Place& parent, const std::string& name);
  /// Hides `name` of the layers below, unless this layer has its own.
  void hide(const Place& parent, const std::string& name);
  /// Hides all that the layers below have in `place`.
  void hide_all(const Place& place);

  /// Whether nothing of the layers below shows in the directory `path`, which has no links in it.
  bool hides_below(const std::string& path) const;

  /// Whether `name` is a directory that only whiteouts imply, so that it may turn out not to be
  /// one.
  bool holds_only_whiteouts(const Place& parent, const std::string& name) const;

  /// Sets the attributes of all directories, the deepest first, and removes whiteouts that have no
  /// effect. Nothing may be put afterwards. Returns the implied directories whose attributes the
  /// layers below decide, parents first.
  std::vector<ImpliedDirectory> finish();

  bool root_entry() const noexcept { return root_entry_; }
  bool root_opaque() const noexcept { return opaque_.count("") > 0; }

 private:
  enum class Purpose { entry, whiteout, lookup };
  struct Implied {
    bool only_whiteouts = false;
    bool independent = false;  ///< hides what is below, so takes nothing from it
  };
  /// A directory of this layer.
  struct Made {
    Attributes attributes;  ///< set by finish()
    bool hidden = false;    ///< one that it is in hides all below; known in finish()
  };

  const Place* resolve(const std::string& path, Purpose purpose);
  const Place* remember(const std::string& path, Place place);
  std::optional<Place> walk(const std::string& path, Purpose purpose);
  bool step(Place& place, std::vector<std::string>& left, const std::string& name, Purpose purpose,
            int& links);
  bool replace_by_directory(Place& place, const std::string& name, const struct stat& st,
                            Purpose purpose);
  void imply(Place& place, const std::string& name, Purpose purpose, bool independent);
  void make_directory(const Directory& parent, const std::string& name) const;
  std::optional<std::string> find_lower_link(const std::string& path) const;
  void give_substance(const std::string& path);
  void remove(const Directory& parent, const std::string& parent_path, const std::string& name,
              const struct stat& st);
  void forget_below(const std::string& path);
  void note_attributes(const std::string& path, const Attributes& attributes);
  void mark_hidden();
  bool is_hidden(const std::string& path) const;
  void drop_needless_directories();
  Directory open(const std::string& path) const;

  const Directory& root_;
  const Directory* lower_;
  MetadataWriter& metadata_;
  std::unordered_map<std::string, Place> cache_;
  std::map<std::string, Implied> implied_;  // by path without links, as all below
  std::map<std::string, Made> made_;
  std::set<std::string> opaque_;
  std::map<std::string, std::vector<std::string>> whiteouts_;  // directory -> names
  bool root_entry_ = false;
  std::uint64_t memory_;
  std::uint64_t held_ = 0;  // bytes, roughly, that are kept of directories
};

}  // namespace lade::snapshot
