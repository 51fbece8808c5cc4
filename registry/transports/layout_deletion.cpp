#include "registry/transports/layout_deletion.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/manifest.hpp"
#include "oci/verified_source.hpp"
#include "registry/transports/layout_staging.hpp"
#include "registry/transports/reachable.hpp"

#include <map>
#include <set>
#include <vector>

namespace lade::registry {

namespace {

std::vector<Descriptor> descriptors(const LayoutIndex& index) {
  std::vector<Descriptor> manifests;
  for (const LayoutEntry& entry : index.entries()) manifests.push_back(entry.descriptor);
  return manifests;
}

/// A manifest whose bytes are what its descriptor says, or nothing.
std::optional<std::string> read_manifest(const OciLayout& layout, const Descriptor& descriptor) {
  if (layout.find_blob_size(descriptor.digest) != descriptor.size) return std::nullopt;
  FdSource file(layout.open_blob(descriptor.digest, descriptor.size), descriptor.digest.text());
  VerifiedSource verified(file, descriptor);
  return read_all(verified, k_manifest_cap, "the manifest");
}

std::size_t find_position(const LayoutIndex& index, const ManifestKey& key,
                          std::optional<std::size_t> position) {
  const LayoutEntry* wanted = nullptr;
  if (position) {
    wanted = &index.get_at(*position);
  } else if (const auto* name = std::get_if<std::string>(&key)) {
    wanted = &index.get(*name);
  } else {
    wanted = index.find(std::get<Digest>(key));
  }
  if (wanted == nullptr) throw NotFound(str("no manifest ", lade::quoted(to_string(key))));
  return static_cast<std::size_t>(wanted - index.entries().data());
}

/// What only the image before the deletion needed; nothing if that cannot be told.
std::set<Digest> superfluous(const OciLayout& layout, const Descriptor& deleted,
                             const LayoutIndex& after) {
  const ReadManifest read = [&](const Descriptor& descriptor) {
    return read_manifest(layout, descriptor);
  };
  const auto before = find_reachable({&deleted, 1}, read);
  const auto needed = find_reachable(descriptors(after), read);
  if (!before || !needed) return {};
  std::set<Digest> rest;
  for (const Digest& digest : *before) {
    if (!needed->contains(digest)) rest.insert(digest);
  }
  return rest;
}

}  // namespace

LayoutDeletion delete_layout_image(const OciLayout& layout, const ManifestKey& key,
                                   std::optional<std::size_t> position,
                                   const std::stop_token& stop) {
  const LayoutStaging staging(layout.directory());
  std::set<Digest> rest;
  LayoutDeletion deletion;
  const auto change = [&](LayoutIndex& index) {
    const std::size_t place = find_position(index, key, position);
    const Descriptor deleted = index.entries()[place].descriptor;
    index.remove_at(place);
    rest = superfluous(layout, deleted, index);
  };
  const auto then = [&] {
    for (const Digest& digest : rest) {
      const auto size = layout.find_blob_size(digest);
      if (!size) continue;
      layout.ensure_blobs(digest).remove_file(digest.hex());
      ++deletion.blobs;
      deletion.bytes += *size;
    }
  };
  in_context([&] { return str("layout ", lade::quoted(layout.directory().path())); },
             [&] { layout.update_index(staging.directory(), stop, change, then); });
  return deletion;
}

}  // namespace lade::registry
