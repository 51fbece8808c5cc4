#include "cli/stored_images.hpp"

#include <algorithm>

namespace lade::cli {

bool StackedImage::stands_on(const std::vector<store::StoredLayer>& chain) const {
  if (chain.size() > layers.size()) return false;
  return std::equal(
      chain.begin(), chain.end(), layers.begin(),
      [](const auto& one, const auto& other) { return one.diff_id == other.diff_id; });
}

std::vector<StackedImage> stacked_images(const store::Store& store) {
  std::vector<StackedImage> stacked;
  for (store::StoredImage& image : store.list_images()) {
    auto layers = store.layers_of(image.id);
    stacked.push_back({std::move(image), std::move(layers)});
  }
  return stacked;
}

DanglingImages::DanglingImages(const std::vector<store::StoredImage>& all) {
  for (const store::StoredImage& image : all) {
    for (const Reference& name : image.names) tagged_repositories_.insert(name.repository());
  }
}

bool DanglingImages::contains(const store::StoredImage& image) const {
  return image.names.empty() &&
         std::all_of(image.digests.begin(), image.digests.end(), [&](const Reference& name) {
           return tagged_repositories_.contains(name.repository());
         });
}

}  // namespace lade::cli
