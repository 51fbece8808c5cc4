// The directory that a layer is unpacked into: how its paths become directories, which of those
// nobody has described, and what of the layers below it hides.
#pragma once

#include "base/directory.hpp"
#include "snapshot/entry.hpp"
#include "snapshot/lower_files.hpp"
#include "snapshot/metadata.hpp"
#include "snapshot/path_walk.hpp"
#include "snapshot/tree_builder.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
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

/// Whether it is what overlay takes for "not there".
bool is_whiteout(const struct stat& st);

/// Directories stay open in a cache that is dropped whenever a directory or a link goes.
class LayerTree final : public TreeBuilder {
 public:
  /// `lower`: what the layers below look like, or null to take them for empty.
  /// `memory` (bytes): what may be kept of directories until the end; more is InvalidData.
  LayerTree(const Directory& root, const Directory* lower, MetadataWriter& metadata,
            std::uint64_t memory = k_directories_cap)
      : root_(root),
        lower_(lower),
        metadata_(metadata),
        lower_files_(root, metadata),
        memory_(memory) {}

  const Place& enter(const std::string& path) override;
  /// Nothing if this layer has hidden that directory already.
  const Place* enter_for_whiteout(const std::string& path) override;
  /// Of this layer alone.
  const Place* find(const std::string& path) override;
  void put_directory(const Place& parent, const std::string& name,
                     const Attributes& attributes) override;
  void put_root(const Attributes& attributes) override;
  void clear(const Place& parent, const std::string& name) override;
  void added(const Place& /*parent*/, const std::string& /*name*/) override {}
  void hide(const Place& parent, const std::string& name) override;
  void hide_all(const Place& place) override;
  std::optional<Found> find_present(const LayerPath& path) override;
  /// A copy: a file of the layers below cannot be linked to.
  std::optional<Found> find_below(const LayerPath& path) override;

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
  std::optional<Found> look_below(const std::string& path) const;
  std::optional<Found> look_merged(const std::string& path) const;
  std::optional<std::string> find_lower_link(const std::string& path) const;
  bool hides_below(const std::string& path) const;
  bool shows_below(const std::string& path) const;
  bool holds_only_whiteouts(const std::string& path) const;
  void keep_names_of_copies();
  void drop_whiteouts_without_effect();
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
  LowerFiles lower_files_;
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
