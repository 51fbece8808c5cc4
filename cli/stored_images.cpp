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

bool is_dangling(const store::StoredImage& image) {
  return image.names.empty() && image.asked.empty();
}

std::vector<Reference> all_names(const store::StoredImage& image) {
  std::vector<Reference> names = image.names;
  names.insert(names.end(), image.asked.begin(), image.asked.end());
  return names;
}

}  // namespace lade::cli
