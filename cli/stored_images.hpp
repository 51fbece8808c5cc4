// Images of the store beside each other: which stand on which layers, and which nobody has a name
// for any more.
#pragma once

#include "store/store.hpp"

#include <set>
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

/// Which images are dangling: those without a name that nobody can have meant to keep.
class DanglingImages {
 public:
  explicit DanglingImages(const std::vector<store::StoredImage>& all);

  /// It has no name, and is not one that was pulled by its digest alone: of which some repository
  /// has no tag here.
  bool contains(const store::StoredImage& image) const;

 private:
  std::set<std::string> tagged_repositories_;
};

}  // namespace lade::cli
