#include "registry/transports/layout_archive_sink.hpp"

#include "base/error.hpp"
#include "base/tar_writer.hpp"
#include "base/text.hpp"
#include "registry/transports/oci_layout.hpp"
#include "registry/transports/reachable.hpp"

namespace lade::registry {

namespace {

void add_directory(TarWriter& writer, const std::string& name) {
  writer.begin({.name = name, .type = TarType::directory, .mode = 0755});
}

}  // namespace

/// All that one archive is made of.
struct LayoutArchiveSink::Writing {
  const std::map<Digest, Blob>& waiting;
  const std::optional<LayoutArchive>& before;
  LayoutIndex index;
  std::set<Digest> blobs;  ///< to be written
};

LayoutArchiveSink::LayoutArchiveSink(const std::string& path, ArchiveOptions options)
    : options_(std::move(options)),
      target_(path, options_.temporary_directory),
      existing_(open_existing()) {}

std::optional<LayoutArchive> LayoutArchiveSink::open_existing() const {
  if (target_.find_size().value_or(0) == 0) return std::nullopt;
  try {
    ArchiveFile archive = ArchiveFile::open(target_.path(), options_);
    if (!archive.is_in_place()) {
      throw InvalidData(str(lade::quoted(target_.path()), " is compressed"));
    }
    return LayoutArchive(std::move(archive));
  } catch (const InvalidData& error) {
    throw InvalidData(str("no image can be added to ", lade::quoted(target_.path()),
                          ", which is left alone: ", error.what()));
  }
}

bool LayoutArchiveSink::accepts(std::string_view media_type) const {
  return media_type == media_type::oci_manifest || media_type == media_type::oci_index;
}

bool LayoutArchiveSink::has_blob(const Descriptor& descriptor) {
  auto pending = pending_.lock();
  if (pending->waiting.contains(descriptor.digest)) return true;
  if (!existing_ || existing_->find_blob_size(descriptor.digest) != descriptor.size) return false;
  pending->reused.emplace(descriptor.digest, descriptor.size);
  return true;
}

void LayoutArchiveSink::put_blob(const Descriptor& descriptor, Source& bytes) {
  Fd file = target_.make_waiting();
  FdSink sink(file, str("a blob of ", target_.path()));
  const std::uint64_t size = pump(bytes, sink, options_.stop);
  pending_.lock()->waiting.insert_or_assign(descriptor.digest, Blob{size, std::move(file)});
}

void LayoutArchiveSink::put_manifest(const RawManifest& manifest, const ManifestKey& key) {
  const auto* name = std::get_if<std::string>(&key);
  const Descriptor descriptor = checked_for_layout(manifest, key);
  if (!has_blob(descriptor)) {
    StringSource bytes(manifest.bytes);
    put_blob(descriptor, bytes);
  }
  auto pending = pending_.lock();
  pending->manifests.insert_or_assign(descriptor.digest, manifest.bytes);
  if (name != nullptr) pending->listed.emplace_back(*name, descriptor);
}

void LayoutArchiveSink::commit() {
  auto pending = pending_.lock();
  const Fd held = target_.lock(options_.stop);
  // Another writer may have added to it since it was looked at.
  const std::optional<LayoutArchive> before = open_existing();
  for (const auto& [digest, size] : pending->reused) {
    if (before && before->find_blob_size(digest) == size) continue;
    throw NotFound(str("blob ", lade::quoted(digest.text()), " was removed from ",
                       lade::quoted(target_.path()), " while it was to be used"));
  }
  Writing writing{pending->waiting, before, before ? before->index() : LayoutIndex(), {}};
  for (const auto& [name, manifest] : pending->listed) writing.index.set(name, manifest);
  for (const auto& [digest, blob] : pending->waiting) writing.blobs.insert(digest);
  if (before) keep_blobs(*pending, *before, writing);

  write(target_.begin(), writing);
  target_.publish(Existing::replace);
  *pending = {};
  existing_ = open_existing();
}

/// Of the archive before, what something still refers to.
void LayoutArchiveSink::keep_blobs(const Pending& pending, const LayoutArchive& before,
                                   Writing& writing) const {
  const ReadManifest read = [&](const Descriptor& descriptor) -> std::optional<std::string> {
    const auto put = pending.manifests.find(descriptor.digest);
    if (put != pending.manifests.end()) return put->second;
    if (before.find_blob_size(descriptor.digest) != descriptor.size) return std::nullopt;
    return read_all(*before.open_blob(descriptor.digest, descriptor.size), k_manifest_cap,
                    "a manifest");
  };
  std::vector<Descriptor> manifests;
  for (const LayoutEntry& entry : writing.index.entries()) manifests.push_back(entry.descriptor);
  const auto reachable = find_reachable(manifests, read);
  for (const Digest& digest : before.blobs()) {
    const bool is_kept =
        !reachable || reachable->contains(digest) || pending.reused.contains(digest);
    if (is_kept) writing.blobs.insert(digest);
  }
}

/// In the order in which skopeo's walk over a layout finds things.
void LayoutArchiveSink::write(const Fd& out, const Writing& writing) const {
  FdSink sink(out, target_.path());
  TarWriter writer(sink);
  add_directory(writer, "blobs/");
  std::string_view algorithm;
  for (const Digest& digest : writing.blobs) {
    if (digest.algorithm_name() != algorithm) {
      algorithm = digest.algorithm_name();
      add_directory(writer, str("blobs/", algorithm, '/'));
    }
    const auto waiting = writing.waiting.find(digest);
    const bool is_new = waiting != writing.waiting.end();
    const TarEntry* old =
        is_new ? nullptr : writing.before->archive().index().find_file(layout_blob_name(digest));
    const std::uint64_t size = is_new ? waiting->second.size : old->size;
    writer.begin({.name = layout_blob_name(digest), .size = size});
    copy_range(is_new ? waiting->second.file : writing.before->archive().file(),
               is_new ? 0 : old->offset, size, out, target_.path(), options_.stop);
    writer.skip(size);
  }
  writer.add({.name = "index.json"}, writing.index.text());
  writer.add({.name = "oci-layout"}, k_layout_marker_text);
  writer.finish();
}

}  // namespace lade::registry
