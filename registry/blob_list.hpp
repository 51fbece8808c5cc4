// Which blobs a copy moves, and in which order.
#pragma once

#include "registry/copy_blobs.hpp"
#include "registry/image_tree.hpp"

#include <cstddef>
#include <map>
#include <vector>

namespace lade::registry {

/// Collects blobs, each once, whichever manifests share it.
class BlobList {
 public:
  /// Throws InvalidData if the blob is there with another size, Refused with another DiffID.
  void add(BlobItem item);
  /// The blobs of manifests that refer to others.
  void add_referrer(const ImageTree& tree);
  /// Configurations first, then the layers from the largest to the smallest.
  std::vector<BlobItem> take();

 private:
  std::map<Digest, std::size_t> places_;
  std::vector<BlobItem> items_;
};

}  // namespace lade::registry
