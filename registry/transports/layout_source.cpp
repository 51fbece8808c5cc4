#include "registry/transports/layout_source.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/verified_source.hpp"
#include "registry/referrers_tag.hpp"

namespace lade::registry {

namespace {

/// A digest need not be listed: an index refers to manifests that are not.
Descriptor describe(const LayoutIndex& index, const ManifestKey& key, const LayoutBlobs& blobs) {
  if (const auto* name = std::get_if<std::string>(&key)) return index.get(*name).descriptor;
  const Digest& digest = std::get<Digest>(key);
  if (const LayoutEntry* entry = index.find(digest)) return entry->descriptor;
  const auto size = blobs.find_size(digest);
  if (!size) throw NotFound(str("no manifest ", lade::quoted(digest.text())));
  return {.media_type = {}, .digest = digest, .size = *size};
}

}  // namespace

RawManifest read_layout_manifest(const LayoutIndex& index, const ManifestKey& key,
                                 const LayoutBlobs& blobs) {
  const Descriptor descriptor = describe(index, key, blobs);
  if (descriptor.size > k_manifest_cap) {
    throw InvalidData(str("manifest ", lade::quoted(descriptor.digest.text()), " is larger than ",
                          human_size(k_manifest_cap)));
  }
  const auto content = blobs.open(descriptor.digest, descriptor.size);
  VerifiedSource verified(*content, descriptor);
  std::string bytes = read_all(verified, k_manifest_cap, "the manifest");
  std::string type = detect_manifest_type(bytes, descriptor.media_type);
  return {std::move(bytes), std::move(type), descriptor.digest};
}

std::vector<Descriptor> list_layout_referrers(const LayoutIndex& index, const Digest& manifest,
                                              const LayoutBlobs& blobs) {
  std::vector<Descriptor> found;
  const std::string tag = referrers_tag(manifest);
  for (const LayoutEntry& entry : index.entries()) {
    const ManifestKind kind = manifest_kind(entry.descriptor.media_type);
    if (kind != ManifestKind::image && kind != ManifestKind::index) continue;
    const RawManifest raw = read_layout_manifest(index, entry.descriptor.digest, blobs);
    if (entry.name == tag && kind == ManifestKind::index) {
      const std::vector<Descriptor> listed = parse_index(raw.bytes).manifests;
      found.insert(found.end(), listed.begin(), listed.end());
    }
    const auto subject = find_subject(raw);
    if (subject && subject->digest == manifest) found.push_back(referrer_descriptor(raw));
  }
  return found;
}

LayoutBlobs OciLayoutSource::blobs() const {
  return {.find_size = [this](const Digest& digest) { return layout_.find_blob_size(digest); },
          .open =
              [this](const Digest& digest, std::uint64_t size) {
                return std::make_unique<FdSource>(layout_.open_blob(digest, size), digest.text());
              }};
}

RawManifest OciLayoutSource::manifest(const ManifestKey& key) {
  return in_context([&] { return str("layout ", lade::quoted(layout_.directory().path())); },
                    [&] { return read_layout_manifest(layout_.read_index(), key, blobs()); });
}

std::vector<Descriptor> OciLayoutSource::list_referrers(const Digest& manifest) {
  return list_layout_referrers(layout_.read_index(), manifest, blobs());
}

std::unique_ptr<Source> OciLayoutSource::blob(const Descriptor& descriptor) {
  return std::make_unique<FdSource>(layout_.open_blob(descriptor.digest, descriptor.size),
                                    descriptor.digest.text());
}

}  // namespace lade::registry
