// An OCI layout as a place that images are read from.
#pragma once

#include "oci/transport.hpp"
#include "registry/transports/oci_layout.hpp"

#include <memory>

namespace lade::registry {

/// Reads from a layout. Names are `org.opencontainers.image.ref.name`s; the empty name is the only
/// image there is. THREADS: as ImageSource.
class OciLayoutSource final : public ImageSource {
 public:
  explicit OciLayoutSource(OciLayout layout) : layout_(std::move(layout)) {}

  /// A manifest of at most k_manifest_cap bytes, whose digest (and size, where index.json tells it)
  /// is verified. Throws NotFound, InvalidData, Refused.
  RawManifest manifest(const ManifestKey& key) override;

  std::unique_ptr<Source> blob(const Descriptor& descriptor) override;

 private:
  OciLayout layout_;
};

}  // namespace lade::registry
