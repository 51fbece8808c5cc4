#include "snapshot/flat.hpp"

#include "base/compress.hpp"
#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "base/piece_queue.hpp"
#include "base/text.hpp"
#include "oci/verified_source.hpp"
#include "snapshot/entry_applier.hpp"
#include "snapshot/rootless_owner.hpp"
#include "snapshot/tar_stream.hpp"

#include <unistd.h>

#include <memory>
#include <optional>

namespace lade::snapshot {

namespace {

/// Applies one layer after the other to one tree.
class FlatApplier final : public EntryApplier {
 public:
  FlatApplier(TarStream& tar, FlatTree& tree, MetadataWriter& metadata, const FlatOptions& options,
              ContentDigests& digests, const Job& job)
      : EntryApplier(tar, tree, metadata, options.limits, job),
        tar_(tar),
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
  void content(std::span<const std::byte> bytes) override { tar_.hash_content(bytes, hasher_); }
  void content_ends(const Fd& /*file*/, const struct stat& st, bool has_holes) override {
    // What has holes is read when it is recorded.
    if (has_holes) {
      digests_.erase(st.st_ino);
    } else {
      digests_[st.st_ino] = hasher_.finish_hex();
    }
  }

  void copied(const struct stat& st) override { digests_.erase(st.st_ino); }

  TarStream& tar_;
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

  DiffId apply(PieceSource& tar) {
    TarStream stream(tar, options_.limits.tar_size);
    tree_.begin_layer();
    FlatApplier(stream, tree_, metadata_, options_, digests_, job_).run();
    tree_.end_layer();
    return stream.diff_id();
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

/// A layer's blob, verified and inflated.
class LayerReader {
 public:
  LayerReader(ImageSource& source, const FlatLayer& layer, Task& task)
      : blob_(source.blob(layer.blob)),
        counted_(*blob_, [&task](std::span<const std::byte> piece) { task.advance(piece.size()); }),
        verified_(counted_, layer.blob),
        tar_(decompress(verified_)) {}

  /// To its end, or as far as anybody wants it; what the bytes truly were is told before what
  /// inflating them ran into.
  void write_to(PieceQueue& queue) {
    try {
      if (!queue.write(*tar_)) drain();
    } catch (const InvalidData&) {
      drain();
      throw;
    }
  }

 private:
  void drain() {
    std::vector<std::byte> buffer(k_copy_buffer);
    while (verified_.read(buffer) > 0) {
    }
  }

  std::unique_ptr<Source> blob_;
  TapSource counted_;
  VerifiedSource verified_;
  std::unique_ptr<Source> tar_;
};

/// All layers, inflated in one thread and applied in another, which lags behind by what the queue
/// holds: the first goes on with the next layer while the second is busy with the last one.
class FlatUnpacking {
 public:
  FlatUnpacking(ImageSource& source, const std::vector<FlatLayer>& layers, FlatRoot& root,
                const Job& job, const std::stop_token& stop)
      : source_(source),
        layers_(layers),
        root_(root),
        job_(job),
        queue_(k_pieces_ahead, stop),
        tasks_(layers.size()) {}

  /// Throws nothing: failures go the way of the bytes, so that the first layer's come first.
  void inflate() noexcept {
    try {
      for (std::size_t i = 0; i < layers_.size(); ++i) {
        const Descriptor& blob = layers_[i].blob;
        if (!is_layer_tar(blob.media_type)) {
          throw InvalidData(str("media type ", quoted(blob.media_type), " is not a layer's"));
        }
        tasks_[i].emplace(job_.observer, TaskKind::unpack, blob.digest.short_hex(), blob.size);
        LayerReader(source_, layers_[i], *tasks_[i]).write_to(queue_);
        queue_.end();
      }
    } catch (...) {
      queue_.fail(std::current_exception());
    }
  }

  void apply() {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      in_context([&] { return str("unpack layer ", quoted(layers_[i].blob.digest.text())); },
                 [&] { apply_layer(i); });
      tasks_[i]->finish();
    }
  }

 private:
  static constexpr std::size_t k_pieces_ahead = 16;

  void apply_layer(std::size_t i) {
    std::optional<DiffId> diff_id;
    try {
      diff_id = root_.apply(queue_);
    } catch (const InvalidData&) {
      queue_.abandon(i);  // and hear what the bytes truly were
      throw;
    }
    const DiffId& expected = layers_[i].diff_id;
    if (*diff_id == expected) return;
    throw Refused(str("its tar has digest ", quoted(diff_id->digest.text()), ", not ",
                      quoted(expected.digest.text()), " as the config says"));
  }

  ImageSource& source_;
  const std::vector<FlatLayer>& layers_;
  FlatRoot& root_;
  const Job& job_;
  PieceQueue queue_;
  std::vector<std::optional<Task>> tasks_;  // each made before its layer's first piece is there
};

}  // namespace

ContentDigests unpack_flat(ImageSource& source, const std::vector<FlatLayer>& layers,
                           const Directory& target, const FlatOptions& options, const Job& job) {
  FlatRoot root(target, options, job);
  std::stop_source ended;
  const std::stop_callback forward(job.stop, [&] { ended.request_stop(); });
  FlatUnpacking unpacking(source, layers, root, job, ended.get_token());
  parallel_for_each(2, 2, job.stop, [&](std::size_t i, const std::stop_token& stop) {
    // What ends one of the two ends the other.
    const std::stop_callback end(stop, [&] { ended.request_stop(); });
    if (i == 0) return unpacking.inflate();
    unpacking.apply();
  });
  return root.finish();
}

ContentDigests unpack_flat(const std::vector<Source*>& tars, const Directory& target,
                           const FlatOptions& options, const Job& job) {
  FlatRoot root(target, options, job);
  for (Source* tar : tars) {
    BufferedPieces pieces(*tar);
    root.apply(pieces);
  }
  return root.finish();
}

}  // namespace lade::snapshot
