#include "store/garbage.hpp"

#include "store/lease.hpp"

namespace lade::store {

Garbage find_garbage(const Inventory& inventory) {
  const auto blob_may_go = [&](const std::string& digest) {
    return !inventory.needed_blobs.contains(digest) &&
           !inventory.held.contains(lease_item_of_blob(Digest::parse(digest)));
  };
  const auto layer_may_go = [&](const std::string& key) {
    return !inventory.needed_layers.contains(key) &&
           !inventory.held.contains(lease_item_of_layer(key));
  };
  const auto all_that = [](const std::set<std::string>& from, const auto& may_go) {
    std::vector<std::string> chosen;
    for (const std::string& each : from) {
      if (may_go(each)) chosen.push_back(each);
    }
    return chosen;
  };
  return {.blob_rows = all_that(inventory.blob_rows, blob_may_go),
          .layer_rows = all_that(inventory.layer_rows, layer_may_go),
          .blob_files = all_that(inventory.blob_files, blob_may_go),
          .layer_files = all_that(inventory.layer_files, layer_may_go)};
}

}  // namespace lade::store
