// A layer that is made here, of a tar that nobody has a digest of yet. Inside snapshot/.
#pragma once

#include "base/observer.hpp"
#include "base/stream.hpp"
#include "oci/descriptor.hpp"
#include "snapshot/staged_layer.hpp"
#include "store/blob_writer.hpp"
#include "store/store.hpp"

#include <memory>

namespace lade::snapshot {

/// A new layer, staged: unpacked, and as a blob.
struct StagedNewLayer {
  std::unique_ptr<StagedLayer> layer;
  std::unique_ptr<store::NewBlob> blob;
  Descriptor descriptor;  ///< of the blob
};

/// Reads `tar`, plain or compressed, once: unpacks it and writes its blob at the same time, in two
/// threads besides the caller's. What is gzip becomes the blob as it is; anything else is
/// compressed to gzip. Throws InvalidData for what is no whole tar: empty, compressed twice, or
/// without its end; Cancelled.
StagedNewLayer stage_new_layer(const store::Store& store, Source& tar, const Job& job);

}  // namespace lade::snapshot
