// Images of the store beside each other: which stand on which layers, and which nobody has a name
// for any more.
#pragma once

#include "store/store.hpp"

#include <string>
#include <vector>

namespace lade::cli {

/// An image and the layers that it stands on, the bottom first.
struct StackedImage {
  store::StoredImage image;
  std::vector<store::StoredLayer> layers;

  /// Whether its lowest layers, as many as `chain` has, are those.
  bool stands_on(const std::vector<store::StoredLayer>& chain) const;
};

/// All images, the newest first.
std::vector<StackedImage> stacked_images(const store::Store& store);

/// Whether nobody has a name for it: no tag, nor a digest that it was pulled by.
bool is_dangling(const store::StoredImage& image);

/// What it is called: tags, then digests that it was pulled by.
std::vector<Reference> all_names(const store::StoredImage& image);

}  // namespace lade::cli
