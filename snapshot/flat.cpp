#include "snapshot/flat.hpp"

#include "base/broadcast.hpp"
#include "base/compress.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/verified_source.hpp"
#include "snapshot/entry_applier.hpp"
#include "snapshot/rootless_owner.hpp"

#include <unistd.h>

#include <array>
#include <functional>

namespace lade::snapshot {

namespace {

/// Applies one layer after the other to one tree.
class FlatApplier final : public EntryApplier {
 public:
  FlatApplier(Source& tar, FlatTree& tree, MetadataWriter& metadata, const FlatOptions& options,
              ContentDigests& digests, const Job& job)
      : EntryApplier(tar, tree, metadata, options.limits, job),
        ownership_(options.ownership),
        digests_(digests) {}

 private:
  void prepare(Entry& entry) override {
    set_host_owner(entry.attributes, ownership_);
    const bool device = entry.type == EntryType::character || entry.type == EntryType::block;
    if (device && ownership_.rootless) {
      entry.type = EntryType::regular;
      entry.attributes.mode = 0;
    }
  }

  void content_begins() override { hasher_ = Hasher(HashAlgorithm::sha256); }
  void content(std::span<const std::byte> bytes) override { hasher_.update(bytes); }
  void content_ends(const Fd& /*file*/, const struct stat& st, bool has_holes) override {
    // What has holes is read when it is recorded.
    if (has_holes) {
      digests_.erase(st.st_ino);
    } else {
      digests_[st.st_ino] = hasher_.finish_hex();
    }
  }

  void copied(const struct stat& st) override { digests_.erase(st.st_ino); }

  const Ownership& ownership_;
  ContentDigests& digests_;
  Hasher hasher_{HashAlgorithm::sha256};
};

/// The tree and all that is written into it.
class FlatRoot {
 public:
  FlatRoot(const Directory& target, const FlatOptions& options, const Job& job)
      : options_(options),
        job_(job),
        metadata_(target, OverlayXattrs::none, job.observer),
        tree_(target, metadata_, options.links, root_owned(), root_owned(),
              {.directories = options.limits.directories, .names = options.limits.names}) {}

  void apply(Source& tar) {
    tree_.begin_layer();
    FlatApplier(tar, tree_, metadata_, options_, digests_, job_).run();
    tree_.end_layer();
  }

  ContentDigests finish() {
    tree_.finish();
    return std::move(digests_);
  }

 private:
  Attributes root_owned() const {
    Attributes attributes;
    set_host_owner(attributes, options_.ownership);
    return attributes;
  }

  FlatOptions options_;
  const Job& job_;
  MetadataWriter metadata_;
  FlatTree tree_;
  ContentDigests digests_;
};

/// Inflates in this thread (and hashes what comes in), hashes the tar in another, applies it in a
/// third.
void apply_layer(ImageSource& source, const FlatLayer& layer, FlatRoot& root, const Job& job) {
  if (!is_layer_tar(layer.blob.media_type)) {
    throw InvalidData(str("media type ", quoted(layer.blob.media_type), " is not a layer's"));
  }
  const auto blob = source.blob(layer.blob);
  Task task(job.observer, TaskKind::unpack, layer.blob.digest.short_hex(), layer.blob.size);
  TapSource counted(*blob, [&](std::span<const std::byte> piece) { task.advance(piece.size()); });
  VerifiedSource verified(counted, layer.blob);
  const auto tar = decompress(verified);
  Hasher hasher(HashAlgorithm::sha256);
  const std::array<std::function<void(Source&)>, 2> takers{
      [&](Source& bytes) {
        std::vector<std::byte> buffer(k_copy_buffer);
        while (const std::size_t count = bytes.read(buffer)) {
          hasher.update(std::span(buffer).first(count));
        }
      },
      [&](Source& bytes) { root.apply(bytes); }};
  try {
    for (const std::exception_ptr& failure : broadcast(*tar, takers, job.stop)) {
      if (failure) std::rethrow_exception(failure);
    }
  } catch (const InvalidData&) {
    // What the bytes truly were is told before what unpacking them ran into.
    std::vector<std::byte> buffer(k_copy_buffer);
    while (verified.read(buffer) > 0) {
    }
    throw;
  }
  const DiffId diff_id{Digest::parse(str("sha256:", hasher.finish_hex()))};
  if (diff_id != layer.diff_id) {
    throw Refused(str("its tar has digest ", quoted(diff_id.digest.text()), ", not ",
                      quoted(layer.diff_id.digest.text()), " as the config says"));
  }
  task.finish();
}

}  // namespace

ContentDigests unpack_flat(ImageSource& source, const std::vector<FlatLayer>& layers,
                           const Directory& target, const FlatOptions& options, const Job& job) {
  FlatRoot root(target, options, job);
  for (const FlatLayer& layer : layers) {
    in_context([&] { return str("unpack layer ", quoted(layer.blob.digest.text())); },
               [&] { apply_layer(source, layer, root, job); });
  }
  return root.finish();
}

ContentDigests unpack_flat(const std::vector<Source*>& tars, const Directory& target,
                           const FlatOptions& options, const Job& job) {
  FlatRoot root(target, options, job);
  for (Source* tar : tars) root.apply(*tar);
  return root.finish();
}

}  // namespace lade::snapshot
