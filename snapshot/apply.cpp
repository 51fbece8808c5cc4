#include "snapshot/apply.hpp"

#include "base/checksum.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "snapshot/copy_up.hpp"
#include "snapshot/entry_applier.hpp"
#include "snapshot/layer_path.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace lade::snapshot {

namespace {

// Write-back of files from this size on is started at once, so that little is left for syncfs.
constexpr off_t k_early_write_back = 1024 * 1024;

class OverlayApplier final : public EntryApplier {
 public:
  OverlayApplier(Source& tar, LayerTree& layers, MetadataWriter& metadata, const Directory* lower,
                 const Job& job)
      : EntryApplier(tar, layers, metadata, job),
        layers_(layers),
        metadata_(metadata),
        lower_(lower) {}

  AppliedLayer finish(DiffId diff_id, std::uint64_t tar_size) {
    AppliedLayer layer{
        std::move(diff_id),    tar_size,         entries(),           layers_.root_entry(),
        layers_.root_opaque(), layers_.finish(), std::move(missing_), std::move(forward_),
        std::move(checksums_)};
    return layer;
  }

 private:
  void content_begins() override { checksum_.reset(); }
  void content(std::span<const std::byte> bytes) override { checksum_.update(bytes); }
  void content_ends(const Fd& file, const struct stat& st, bool has_holes) override {
    if (has_holes) {
      checksums_.erase(st.st_ino);  // it is read when it is recorded
    } else {
      checksums_[st.st_ino] = checksum_.value();
    }
    if (st.st_size >= k_early_write_back) {
      // Only a beginning: syncfs tells whether it worked.
      static_cast<void>(::sync_file_range(file.get(), 0, 0, SYNC_FILE_RANGE_WRITE));
    }
  }

  void retry(const PendingLink& pending) override {
    in_context(
        [&] { return str("apply hard link ", quoted(pending.link.text())); },
        [&] {
          const auto& place = layers_.enter(pending.link.parent);
          if (place.directory.exists(pending.link.name)) return;  // a later entry took the name
          if (lower_ == nullptr) {
            const bool made = link(pending.link, pending.target);
            (made ? forward_ : missing_).push_back(pending.link.text());
          } else if (!link_to_lower(pending) && !link(pending.link, pending.target)) {
            throw InvalidData(str("its target ", quoted(pending.target.text()), " is nowhere"));
          }
        });
  }

  /// Copies a file of the layers below into this one, where it then has both names, or only the
  /// link's if this layer has replaced or removed the file since. Whether there is such a file.
  bool link_to_lower(const PendingLink& pending) {
    const LayerPath& target = pending.target;
    // The name without links: tells which file of the layers below is meant.
    const auto& place = layers_.enter(target.parent);
    const auto file = find_without_links(*lower_, join_path(place.path, target.name), O_PATH);
    if (!file) return false;
    const bool hidden = place.directory.exists(target.name);
    const LayerPath& first = hidden ? pending.link : target;
    const Directory& parent = layers_.enter(first.parent).directory;
    copy_up(*file, parent, first.name, metadata_);
    // The inode may have been that of a file that is gone.
    if (const auto st = parent.find_stat(first.name)) checksums_.erase(st->st_ino);
    return hidden || link(pending.link, target);
  }

  LayerTree& layers_;
  MetadataWriter& metadata_;
  const Directory* lower_;
  std::vector<std::string> missing_;
  std::vector<std::string> forward_;
  Checksum checksum_;
  ContentChecksums checksums_;
};

}  // namespace

AppliedLayer apply_layer(Source& tar, const Directory& target, const ApplyOptions& options,
                         const Job& job) {
  Hasher hasher(HashAlgorithm::sha256);
  std::uint64_t size = 0;
  TapSource hashed(tar, [&](std::span<const std::byte> bytes) {
    hasher.update(bytes);
    size += bytes.size();
  });
  MetadataWriter metadata(target, options.overlay, job.observer);
  LayerTree tree(target, options.lower, metadata);
  OverlayApplier applier(hashed, tree, metadata, options.lower, job);
  applier.run();
  return applier.finish(DiffId{Digest::parse(str("sha256:", hasher.finish_hex()))}, size);
}

}  // namespace lade::snapshot
