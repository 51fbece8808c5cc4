// An OCI layout as a place that images are read from.
#pragma once

#include "oci/transport.hpp"
#include "registry/transports/oci_layout.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace lade::registry {

/// How the blobs of a layout are reached, wherever it is.
struct LayoutBlobs {
  /// The size in bytes of a blob, or nothing if it is not there.
  std::function<std::optional<std::uint64_t>(const Digest&)> find_size;
  /// Its bytes, unverified. Throws NotFound, Refused if they are not as many.
  std::function<std::unique_ptr<Source>(const Digest&, std::uint64_t size)> open;
};

/// What a key stands for in a layout: a manifest of at most k_manifest_cap bytes, whose digest (and
/// size, where index.json tells it) is verified. Throws NotFound, InvalidData, Refused.
RawManifest read_layout_manifest(const LayoutIndex& index, const ManifestKey& key,
                                 const LayoutBlobs& blobs);

/// What refers to a manifest by `subject`: of the manifests that index.json lists, and by the tag
/// that stands in for the API where a tool has brought one along. Throws what
/// read_layout_manifest() throws.
std::vector<Descriptor> list_layout_referrers(const LayoutIndex& index, const Digest& manifest,
                                              const LayoutBlobs& blobs);

/// Reads from a layout. Names are `org.opencontainers.image.ref.name`s; the empty name is the only
/// image there is. THREADS: as ImageSource.
class OciLayoutSource final : public ImageSource {
 public:
  explicit OciLayoutSource(OciLayout layout) : layout_(std::move(layout)) {}

  /// As read_layout_manifest().
  RawManifest manifest(const ManifestKey& key) override;

  std::unique_ptr<Source> blob(const Descriptor& descriptor) override;
  /// As list_layout_referrers().
  std::vector<Descriptor> list_referrers(const Digest& manifest) override;
  bool has_many_names() const override { return true; }

 private:
  LayoutBlobs blobs() const;

  OciLayout layout_;
};

}  // namespace lade::registry
