#include "registry/transports/layout_source.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/verified_source.hpp"

namespace lade::registry {

namespace {

/// What a key stands for. A digest need not be listed: an index refers to manifests that are not.
Descriptor describe(const OciLayout& layout, const ManifestKey& key) {
  const LayoutIndex index = layout.read_index();
  if (const auto* name = std::get_if<std::string>(&key)) return index.get(*name).descriptor;
  const Digest& digest = std::get<Digest>(key);
  if (const LayoutEntry* entry = index.find(digest)) return entry->descriptor;
  const auto size = layout.find_blob_size(digest);
  if (!size) throw NotFound(str("no manifest ", lade::quoted(digest.text())));
  return {.media_type = {}, .digest = digest, .size = *size};
}

}  // namespace

RawManifest OciLayoutSource::manifest(const ManifestKey& key) {
  const auto context = [&] { return str("layout ", lade::quoted(layout_.directory().path())); };
  return in_context(context, [&] {
    const Descriptor descriptor = describe(layout_, key);
    if (descriptor.size > k_manifest_cap) {
      throw InvalidData(str("manifest ", lade::quoted(descriptor.digest.text()), " is larger than ",
                            human_size(k_manifest_cap)));
    }
    FdSource file(layout_.open_blob(descriptor.digest, descriptor.size), descriptor.digest.text());
    VerifiedSource verified(file, descriptor);
    std::string bytes = read_all(verified, k_manifest_cap, "the manifest");
    std::string type = detect_manifest_type(bytes, descriptor.media_type);
    return RawManifest{std::move(bytes), std::move(type), descriptor.digest};
  });
}

std::unique_ptr<Source> OciLayoutSource::blob(const Descriptor& descriptor) {
  return std::make_unique<FdSource>(layout_.open_blob(descriptor.digest, descriptor.size),
                                    descriptor.digest.text());
}

}  // namespace lade::registry
