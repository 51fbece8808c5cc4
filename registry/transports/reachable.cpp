#include "registry/transports/reachable.hpp"

#include "base/error.hpp"
#include "oci/manifest.hpp"

namespace lade::registry {

namespace {

constexpr int k_deepest_index = 8;

/// Marks what a manifest refers to; false if that cannot be told.
bool mark(const Descriptor& descriptor, const ReadManifest& read, int depth,
          std::set<Digest>& marked) {
  if (!marked.insert(descriptor.digest).second) return true;
  const ManifestKind kind = manifest_kind(descriptor.media_type);
  const bool is_known = kind == ManifestKind::image || kind == ManifestKind::index;
  if (!is_known || depth > k_deepest_index) return false;
  const auto bytes = read(descriptor);
  if (!bytes) return depth > 0;  // a list need not have all of its images
  if (kind == ManifestKind::image) {
    const Manifest manifest = parse_manifest(*bytes);
    marked.insert(manifest.config.digest);
    for (const Descriptor& layer : manifest.layers) marked.insert(layer.digest);
    return true;
  }
  for (const Descriptor& entry : parse_index(*bytes).manifests) {
    if (!mark(entry, read, depth + 1, marked)) return false;
  }
  return true;
}

}  // namespace

std::optional<std::set<Digest>> find_reachable(std::span<const Descriptor> manifests,
                                               const ReadManifest& read) {
  std::set<Digest> marked;
  try {
    for (const Descriptor& manifest : manifests) {
      if (!mark(manifest, read, 0, marked)) return std::nullopt;
    }
  } catch (const InvalidData&) {
    return std::nullopt;
  }
  return marked;
}

}  // namespace lade::registry
