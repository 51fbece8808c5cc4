#include "registry/blob_list.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace lade::registry {

void BlobList::add(BlobItem item) {
  const Descriptor& descriptor = item.descriptor;
  const auto [known, is_new] = places_.emplace(descriptor.digest, items_.size());
  if (is_new) return items_.push_back(std::move(item));
  const BlobItem& other = items_[known->second];
  if (other.descriptor.size != descriptor.size) {
    throw InvalidData(str("the manifest gives ", quoted(descriptor.digest.text()), " two sizes"));
  }
  if (item.diff_id && other.diff_id && other.diff_id != item.diff_id) {
    throw Refused(str("layer ", quoted(descriptor.digest.text()),
                      " is said to unpack to two different things"));
  }
}

void BlobList::add_referrer(const ImageTree& tree) {
  constexpr auto part = BlobItem::Part::referrer;
  for (const TreeNode& node : tree.nodes) {
    if (node.is_list()) continue;
    const Manifest manifest = parse_manifest(node.raw.bytes);
    add({manifest.config, "config", {}, part});
    for (const Descriptor& layer : manifest.layers) add({layer, "layer", {}, part});
  }
}

std::vector<BlobItem> BlobList::take() {
  const auto layers = std::stable_partition(
      items_.begin(), items_.end(), [](const BlobItem& item) { return item.what == "config"; });
  std::stable_sort(layers, items_.end(), [](const BlobItem& a, const BlobItem& b) {
    return a.descriptor.size > b.descriptor.size;
  });
  return std::move(items_);
}

}  // namespace lade::registry
