// The two ways in which layers become a root directory: mounted as overlay, and unpacked into one
// directory. What one must do the other must do too.
#pragma once

#include "snapshot/flat.hpp"
#include "tests/snapshot/tree.hpp"

#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace lade::test {

enum class Way { mounted, flat };

inline std::string name_of(Way way) {
  return way == Way::mounted ? "mounted" : "flat";
}
inline std::ostream& operator<<(std::ostream& out, Way way) {
  return out << name_of(way);
}

/// Unpacks plain tars, the bottom one first, into the empty directory `root`.
inline snapshot::ContentDigests unpack_tars(const std::vector<std::string>& tars,
                                            const Directory& root,
                                            const snapshot::FlatOptions& options = {},
                                            Observer* observer = nullptr) {
  NullObserver nobody;
  std::vector<std::unique_ptr<StringSource>> texts;
  std::vector<Source*> sources;
  for (const std::string& tar : tars) {
    texts.push_back(std::make_unique<StringSource>(tar));
    sources.push_back(texts.back().get());
  }
  return snapshot::unpack_flat(sources, root, options,
                               {{}, observer != nullptr ? *observer : nobody});
}

/// Calls `look` with the root directory that layers are, the bottom one first. What a failure
/// leaves of a flat one is removed, as callers do.
template <class Look>
void with_root(Way way, const ScratchDirectory& scratch, store::Store& store,
               const std::vector<std::string>& tars, Look&& look) {
  if (way == Way::mounted) return with_mounted(store, pull(store, TestImage(tars)), look);
  scratch->remove_tree("flat");
  const Directory root = scratch->ensure_child("flat", 0700);
  unpack_tars(tars, root);
  look(root);
}

/// What the root directory that layers are looks like.
inline Tree tree_by(Way way, const ScratchDirectory& scratch, store::Store& store,
                    const std::vector<std::string>& tars) {
  Tree tree;
  with_root(way, scratch, store, tars, [&](const Directory& root) { tree = tree_of(root); });
  return tree;
}

inline Listing listing_by(Way way, const ScratchDirectory& scratch, store::Store& store,
                          const std::vector<std::string>& tars) {
  Listing listing;
  with_root(way, scratch, store, tars,
            [&](const Directory& root) { listing = whole_listing(root); });
  return listing;
}

}  // namespace lade::test
