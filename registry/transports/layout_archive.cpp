#include "registry/transports/layout_archive.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/manifest.hpp"
#include "registry/transports/layout_source.hpp"
#include "registry/transports/oci_layout.hpp"

#include <set>

namespace lade::registry {

namespace {

LayoutIndex read_index(const ArchiveFile& archive) {
  const auto context = [&] {
    return str(lade::quoted(archive.path()), " is not an archive of an OCI layout");
  };
  return in_context(context, [&] {
    check_layout_marker(archive.read(archive.get("oci-layout"), k_layout_marker_cap),
                        archive.path());
    return LayoutIndex::parse(archive.read(archive.get("index.json"), k_manifest_cap));
  });
}

}  // namespace

std::string layout_blob_name(const Digest& digest) {
  return str("blobs/", digest.algorithm_name(), '/', digest.hex());
}

LayoutArchive::LayoutArchive(ArchiveFile archive)
    : archive_(std::move(archive)), index_(read_index(archive_)) {}

std::optional<std::uint64_t> LayoutArchive::find_blob_size(const Digest& digest) const {
  const TarEntry* entry = archive_.index().find_file(layout_blob_name(digest));
  if (entry == nullptr) return std::nullopt;
  return entry->size;
}

std::unique_ptr<Source> LayoutArchive::open_blob(const Digest& digest, std::uint64_t size,
                                                 std::uint64_t offset) const {
  const TarEntry* entry = archive_.index().find_file(layout_blob_name(digest));
  if (entry == nullptr) {
    throw NotFound(str("archive ", lade::quoted(archive_.path()), " has no blob ",
                       lade::quoted(digest.text())));
  }
  if (entry->size != size) {
    throw Refused(str("blob ", lade::quoted(digest.text()), " in archive ",
                      lade::quoted(archive_.path()), " has ", entry->size, " bytes, not the ", size,
                      " of its descriptor"));
  }
  return archive_.open(*entry, offset);
}

std::vector<Digest> LayoutArchive::blobs() const {
  std::set<Digest> digests;
  for (const TarEntry& entry : archive_.index().entries()) {
    const std::vector<std::string> parts = split(entry.name, '/');
    if (parts.size() != 3 || parts[0] != "blobs" || entry.type == TarType::directory) continue;
    if (auto digest = Digest::try_parse(str(parts[1], ':', parts[2]))) digests.insert(*digest);
  }
  return {digests.begin(), digests.end()};
}

RawManifest LayoutArchiveSource::manifest(const ManifestKey& key) {
  const LayoutBlobs blobs{
      .find_size = [&](const Digest& digest) { return layout_.find_blob_size(digest); },
      .open = [&](const Digest& digest,
                  std::uint64_t size) { return layout_.open_blob(digest, size); }};
  return in_context([&] { return str("archive ", lade::quoted(layout_.archive().path())); },
                    [&] { return read_layout_manifest(layout_.index(), key, blobs); });
}

std::unique_ptr<Source> LayoutArchiveSource::blob(const Descriptor& descriptor) {
  return layout_.open_blob(descriptor.digest, descriptor.size);
}

BlobStream LayoutArchiveSource::open_blob(const Descriptor& descriptor,
                                          const BlobRequest& request) {
  return {.offset = request.offset,
          .bytes = layout_.open_blob(descriptor.digest, descriptor.size, request.offset)};
}

}  // namespace lade::registry
