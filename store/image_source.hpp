// An image of the store as a place that images are read from: what `push` and `save` read.
#pragma once

#include "oci/transport.hpp"
#include "store/store.hpp"

#include <memory>

namespace lade::store {

/// One image of the store: its manifest and its blobs as they were pulled, so that every digest is
/// preserved. `store` must outlive it. THREADS: as ImageSource.
class StoredImageSource final : public ImageSource {
 public:
  StoredImageSource(const Store& store, StoredImage image)
      : store_(store), image_(std::move(image)) {}

  /// What to ask manifest() for.
  ManifestKey key() const { return image_.manifest.digest; }
  /// The image's manifest, verified. Throws NotFound for any other key.
  RawManifest manifest(const ManifestKey& key) override;
  std::unique_ptr<Source> blob(const Descriptor& descriptor) override;

 private:
  const Store& store_;
  StoredImage image_;
};

}  // namespace lade::store
