// What belongs to the manifests of an image and is found by asking for it: signatures,
// attestations, lists of contents.
#pragma once

#include "base/observer.hpp"
#include "registry/image_tree.hpp"

#include <vector>

namespace lade::registry {

/// Manifests that refer to others, and what they are called.
struct ReferrerTree {
  ImageTree tree;
  ManifestKey key;  ///< a digest, or a tag that says what it belongs to (`sha256-HEX.sig`)
  Digest subject;   ///< the manifest that it belongs to
};

/// Everything that belongs to the manifests of `tree`, and to that in turn: by `subject`, and by
/// cosign's tags where the place has names. Throws InvalidData if that is more than one can take.
std::vector<ReferrerTree> find_referrers(ImageSource& source, const ImageTree& tree,
                                         const Platform& system);

}  // namespace lade::registry
