// The images that the files of a store make, without any index.
#pragma once

#include "store/store.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace lade::store {

/// A manifest whose image is not whole.
struct IncompleteImage {
  Digest manifest;
  std::string problem;  ///< ``layer `sha256:…` is not unpacked``
};

/// What find_images() found.
struct FoundImages {
  std::vector<NewImage> images;  ///< without names; the manifest that was written last, first
  std::vector<IncompleteImage> incomplete;
};

/// Looks at every blob that may be a manifest, and at what it needs: manifest and config by their
/// digests, layers' blobs by their sizes, unpacked layers by their descriptions. Several manifests
/// of one image are several images here, each with its blobs. Throws Cancelled.
FoundImages find_images(const Directory& blobs, const Directory& layers,
                        const std::stop_token& stop);

}  // namespace lade::store
