#include "registry/transports/layout_sink.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/media_type.hpp"
#include "registry/referrers_tag.hpp"
#include "registry/transports/regular_file.hpp"

#include <unistd.h>

#include <optional>

namespace lade::registry {

namespace {

/// The name of a blob while it is staged.
std::string staged_name(const Digest& digest) {
  return str(digest.algorithm_name(), '-', digest.hex());
}

Directory again(const Directory& directory) {
  return {duplicate(directory.handle()), directory.path()};
}

/// What is at a place that may be none yet.
OciLayout prepare(const EnsuredDirectory& directory, const EnsuredDirectory* blobs) {
  OciLayout layout = OciLayout::prepare(again(*directory));
  return blobs == nullptr ? std::move(layout) : std::move(layout).with_blobs_in(again(**blobs));
}

}  // namespace

OciLayoutSink::OciLayoutSink(OciLayout layout, std::stop_token stop, LayoutFormats formats)
    : layout_(std::move(layout)),
      stop_(std::move(stop)),
      formats_(formats),
      staging_(layout_.blob_home()) {}

OciLayoutSink::OciLayoutSink(const LayoutPlace& place, std::stop_token stop, LayoutFormats formats)
    : OciLayoutSink(std::make_unique<EnsuredDirectory>(place.path),
                    place.blobs ? std::make_unique<EnsuredDirectory>(*place.blobs) : nullptr,
                    std::move(stop), formats) {}

OciLayoutSink::OciLayoutSink(std::unique_ptr<EnsuredDirectory> directory,
                             std::unique_ptr<EnsuredDirectory> blobs, std::stop_token stop,
                             LayoutFormats formats)
    : made_(std::move(directory)),
      made_blobs_(std::move(blobs)),
      layout_(prepare(*made_, made_blobs_.get())),
      stop_(std::move(stop)),
      formats_(formats),
      staging_(layout_.blob_home()) {}

bool OciLayoutSink::accepts(std::string_view media_type) const {
  return formats_ == LayoutFormats::any || media_type == media_type::oci_manifest ||
         media_type == media_type::oci_index;
}

bool OciLayoutSink::has_blob(const Descriptor& descriptor) {
  if (pending_.lock()->staged.contains(descriptor.digest)) return true;
  if (layout_.find_blob_size(descriptor.digest) != descriptor.size) return false;
  pending_.lock()->reused.emplace(descriptor.digest, descriptor.size);
  return true;
}

void OciLayoutSink::put_blob(const Descriptor& descriptor, Source& bytes) {
  write_staged(staging_.directory(), staged_name(descriptor.digest), bytes, stop_);
  pending_.lock()->staged.emplace(descriptor.digest, descriptor.size);
}

void OciLayoutSink::put_manifest(const RawManifest& manifest, const ManifestKey& key) {
  const auto* name = std::get_if<std::string>(&key);
  const Descriptor descriptor = checked_for_layout(manifest, key);
  if (!has_blob(descriptor)) {
    StringSource bytes(manifest.bytes);
    put_blob(descriptor, bytes);
  }
  if (name != nullptr) {
    pending_.lock()->listed.emplace_back(*name, descriptor);
  } else if (find_subject(manifest)) {
    pending_.lock()->listed.emplace_back("", referrer_descriptor(manifest));
  }
}

void OciLayoutSink::commit() {
  const Pending pending = std::exchange(*pending_.lock(), {});
  layout_.establish();
  publish(pending.staged);
  // With its blobs elsewhere, perhaps on another file system, the index is staged beside itself.
  std::optional<LayoutStaging> beside;
  if (layout_.shares_blobs()) beside.emplace(layout_.directory());
  const LayoutStaging& staging = beside ? *beside : staging_;
  layout_.update_index(staging.directory(), stop_, [&](LayoutIndex& index) {
    check_reused(pending.reused);
    check_reused(pending.staged);
    for (const auto& [name, manifest] : pending.listed) index.set(name, manifest);
  });
}

/// Durable first, then in place: a blob that has its name is whole, whenever the power goes.
void OciLayoutSink::publish(const std::map<Digest, std::uint64_t>& staged) const {
  if (staged.empty()) return;
  const Directory& staging = staging_.directory();
  std::map<HashAlgorithm, Directory> targets;
  for (const auto& [digest, size] : staged) {
    if (targets.contains(digest.algorithm())) continue;
    targets.emplace(digest.algorithm(), layout_.ensure_blobs(digest));
  }
  check_syscall(::syncfs(staging.fd()), [&] { return str("sync ", lade::quoted(staging.path())); });
  for (const auto& [digest, size] : staged) {
    staging.rename(staged_name(digest), targets.at(digest.algorithm()), digest.hex());
  }
  for (const auto& [algorithm, target] : targets) target.sync();
}

/// Another tool's garbage collection does not know of blobs that are about to be referred to.
void OciLayoutSink::check_reused(const std::map<Digest, std::uint64_t>& reused) const {
  for (const auto& [digest, size] : reused) {
    if (layout_.find_blob_size(digest) == size) continue;
    throw NotFound(str("blob ", lade::quoted(digest.text()), " was removed from ",
                       lade::quoted(layout_.directory().path()), " while it was to be used"));
  }
}

}  // namespace lade::registry
