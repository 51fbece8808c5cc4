// The index.json of an OCI image layout: which manifests there are and what they are called.
// Changing it keeps every other byte that somebody else wrote: members and entries that lade does
// not know stay as they are. image-spec, image-layout.md, "index.json file".
#pragma once

#include "oci/transport.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// Whether `name` may name an image in a layout: components of letters and digits with single
/// separators `-._:@+` (or `--`) inside, divided by `/`. image-spec, annotations.md, "ref.name".
bool is_valid_layout_name(std::string_view name);

/// The descriptor of a manifest that is to be put into a layout under `key`. Throws UsageError for
/// a name that is not valid there, Refused if the manifest is not what its digest says.
Descriptor checked_for_layout(const RawManifest& manifest, const ManifestKey& key);

/// One manifest that a layout lists.
struct LayoutEntry {
  Descriptor descriptor;
  std::string name;  ///< `org.opencontainers.image.ref.name`; empty if it has none
};

/// A parsed index.json.
class LayoutIndex {
 public:
  /// An index without manifests.
  LayoutIndex();

  /// Parses an index.json; `manifests: null` counts as empty. Throws InvalidData.
  static LayoutIndex parse(std::string_view bytes);

  /// The document, compact; what was parsed and not changed is in it as it was.
  std::string text() const;

  /// All entries in the order of the document.
  const std::vector<LayoutEntry>& entries() const noexcept { return entries_; }

  /// The entry called `name`; the empty name stands for the only image there is. Throws NotFound
  /// listing the names, InvalidData if the name stands for different images.
  const LayoutEntry& get(std::string_view name) const;

  /// The entry at a position, counted from 0. Throws NotFound.
  const LayoutEntry& get_at(std::size_t position) const;

  /// The first entry with that digest, or null.
  const LayoutEntry* find(const Digest& digest) const;

  /// The first entry called `name`, or null.
  const LayoutEntry* find(std::string_view name) const;

  /// Makes `name` stand for the manifest and for nothing else, with the descriptor's annotations if
  /// it has any; an entry that says so already stays as it is. With the empty name the manifest is
  /// listed without one.
  void set(const std::string& name, const Descriptor& manifest);

  /// Takes the entry at a position off the list. REQUIRES: there is one.
  void remove_at(std::size_t position);

  /// Takes entries off the list; how many.
  std::size_t remove_if(const std::function<bool(const LayoutEntry&)>& is_gone);

 private:
  /// A member of the document that is not `manifests`, as it was written.
  struct Member {
    std::string name;   ///< in its quotes
    std::string value;  ///< any JSON
  };

  std::vector<Member> members_;
  std::vector<LayoutEntry> entries_;
  std::vector<std::string> texts_;  // of entries_, as they were written
};

}  // namespace lade::registry
