// What a name stands for at its place: one manifest, or lists of them within lists; and which of
// those are wanted.
#pragma once

#include "oci/transport.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace lade::registry {

/// An image as its source names it, resolved to one platform.
struct ResolvedImage {
  std::vector<RawManifest> indexes;  ///< from the named one inwards; empty if there was none
  RawManifest raw;                   ///< the manifest of the chosen platform
  Manifest manifest;                 ///< the same, parsed

  /// What the name stands for: the outermost index, else the manifest.
  const RawManifest& top() const { return indexes.empty() ? raw : indexes.front(); }
};

/// Fetches the manifest `key` and, through indexes, the one for `platform`. Throws NotFound listing
/// what there is when no entry fits, InvalidData for what is not an image.
ResolvedImage resolve_image(ImageSource& source, const ManifestKey& key, const Platform& platform);

/// Throws InvalidData, in skopeo's words, if a manifest is that of an artifact (a chart, a model)
/// rather than an image.
void require_image(const ResolvedImage& image);

struct ImageTree;
/// The same of every manifest in a tree that is no list.
void require_image(const ImageTree& tree);

/// Which of the manifests behind a name are wanted. What is not a list is wanted as it is.
struct Instances {
  enum class Which {
    system,      ///< the one that fits the system's platform, alone
    with_lists,  ///< the same and the lists that lead to it, as they are though not all is there
    all,         ///< the list and everything in it
    subset,      ///< those of some platforms, and a list rewritten to hold just them
    index_only,  ///< the list as it is, and nothing of what is in it
  };
  Which which = Which::system;
  std::vector<Platform> platforms = {};  ///< of a subset; one without variant fits every variant
};

/// One manifest of a tree.
struct TreeNode {
  /// What becomes of a list.
  enum class Extent {
    whole,     ///< all of it is wanted
    stripped,  ///< only the children are: it has to be rewritten
    sparse,    ///< not all of it is wanted, but its bytes are
  };
  /// An entry of a list and the manifest that it refers to.
  struct Child {
    std::size_t entry;  ///< its place in the list
    std::size_t node;   ///< its place in the tree
  };

  RawManifest raw;
  std::vector<Child> children = {};  ///< of a list, in its order
  Extent extent = Extent::whole;

  bool is_list() const { return raw.kind() == ManifestKind::index; }
};

/// The manifests that are wanted, each once, those in a list before it; the last is what the name
/// stands for (with Instances::Which::system, what of it is wanted).
struct ImageTree {
  std::vector<TreeNode> nodes;
  std::size_t listed = 0;  ///< how many entries the outermost list has, wanted or not

  const RawManifest& top() const { return nodes.back().raw; }
};

/// Fetches the manifests behind `key` that are wanted, each checked against the list that it is in.
/// Throws NotFound if no entry is for a platform, InvalidData for lists that nest too deep or hold
/// too much, and for what is neither image nor list.
ImageTree read_tree(ImageSource& source, const ManifestKey& key, const Instances& instances,
                    const Platform& system);

}  // namespace lade::registry
