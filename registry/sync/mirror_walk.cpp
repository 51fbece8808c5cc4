#include "registry/sync/mirror_walk.hpp"

#include "base/text.hpp"
#include "oci/verified_source.hpp"

namespace lade::registry {

namespace {

constexpr int k_deepest = 8;

}  // namespace

RawManifest read_manifest(const OciLayout& layout, const Descriptor& manifest) {
  if (manifest.size > k_manifest_cap) {
    throw InvalidData(str("manifest ", quoted(manifest.digest.text()), " is larger than ",
                          human_size(k_manifest_cap)));
  }
  FdSource file(layout.open_blob(manifest.digest, manifest.size), manifest.digest.text());
  VerifiedSource verified(file, manifest);
  std::string bytes = read_all(verified, k_manifest_cap, "the manifest");
  std::string type = detect_manifest_type(bytes, manifest.media_type);
  return {std::move(bytes), std::move(type), manifest.digest};
}

const MirrorWalker::Known& MirrorWalker::read(const Descriptor& manifest) {
  const auto [found, is_new] = known_.try_emplace(manifest.digest);
  Known& known = found->second;
  if (!is_new) return known;
  try {
    const RawManifest raw = read_manifest(layout_, manifest);
    if (raw.kind() == ManifestKind::index) {
      for (Descriptor& entry : parse_index(raw.bytes).manifests) {
        known.children.push_back({std::move(entry), BlobRole::manifest});
      }
    } else if (raw.kind() == ManifestKind::image) {
      Manifest image = parse_manifest(raw.bytes);
      known.children.push_back({std::move(image.config), BlobRole::config});
      for (Descriptor& layer : image.layers) {
        known.children.push_back({std::move(layer), BlobRole::layer});
      }
    }
  } catch (const Error&) {
    known.problem = std::current_exception();
  }
  return known;
}

void MirrorWalker::walk(const Descriptor& manifest, const Visitor& visitor) {
  walk_below(manifest, visitor, 0);
}

void MirrorWalker::walk_below(const Descriptor& manifest, const Visitor& visitor, int depth) {
  if (depth == k_deepest) {
    return visitor.broken(manifest,
                          InvalidData(str("it is nested deeper than ", k_deepest, " levels")));
  }
  const Known& known = read(manifest);
  if (known.problem) {
    try {
      std::rethrow_exception(known.problem);
    } catch (const Error& error) {
      return visitor.broken(manifest, error);
    }
  }
  visitor.see(manifest, BlobRole::manifest);
  for (const Child& child : known.children) {
    if (child.role == BlobRole::manifest) {
      walk_below(child.descriptor, visitor, depth + 1);
    } else {
      visitor.see(child.descriptor, child.role);
    }
  }
}

std::set<Digest> reachable_blobs(const OciLayout& layout, const LayoutIndex& index) {
  std::set<Digest> reachable;
  MirrorWalker walker(layout);
  const MirrorWalker::Visitor visitor{
      .see = [&](const Descriptor& blob, BlobRole) { reachable.insert(blob.digest); },
      .broken =
          [&](const Descriptor& manifest, const Error& problem) {
            throw InvalidData(str("manifest ", quoted(manifest.digest.text()),
                                  ", below which everything might be needed: ", problem.what()));
          }};
  for (const LayoutEntry& entry : index.entries()) walker.walk(entry.descriptor, visitor);
  return reachable;
}

}  // namespace lade::registry
