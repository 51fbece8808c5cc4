#include "snapshot/apply.hpp"

#include "base/checksum.hpp"
#include "base/error.hpp"
#include "snapshot/tar_stream.hpp"

#include <fcntl.h>

#include <utility>

namespace lade::snapshot {

namespace {

/// Applies a layer to a tree of its own.
class LayerApplier final : public EntryApplier {
 public:
  LayerApplier(PieceSource& tar, LayerTree& tree, MetadataWriter& metadata,
               const ApplyOptions& options, AppliedLayer& layer, const Job& job)
      : EntryApplier(tar, tree, metadata, options.limits, job), options_(options), layer_(layer) {}

 private:
  void content_begins() override { checksum_.reset(); }
  void content(std::span<const std::byte> bytes) override { checksum_.update(bytes); }
  void content_ends(const Fd& file, const struct stat& st, bool has_holes) override {
    if (has_holes) {
      layer_.checksums.erase(st.st_ino);  // it is read when it is recorded
    } else {
      layer_.checksums[st.st_ino] = checksum_.value();
    }
    if (options_.write_back == WriteBack::early && st.st_size > 0) {
      // Only a beginning: syncfs tells whether it worked.
      static_cast<void>(::sync_file_range(file.get(), 0, 0, SYNC_FILE_RANGE_WRITE));
    }
  }

  void copied(const struct stat& st) override { layer_.checksums.erase(st.st_ino); }

  void linked_late(const std::string& link) override {
    if (options_.lower == nullptr) layer_.forward_links.push_back(link);
  }
  void target_missing(const std::string& link, const std::string& target) override {
    if (options_.lower != nullptr) EntryApplier::target_missing(link, target);
    layer_.missing_links.push_back(link);
  }

  const ApplyOptions& options_;
  AppliedLayer& layer_;
  Checksum checksum_;
};

}  // namespace

AppliedLayer apply_layer(Source& tar, const Directory& target, const ApplyOptions& options,
                         const Job& job) {
  BufferedPieces pieces(tar);
  TarStream stream(pieces, options.limits.tar_size, options.blob_hasher);
  MetadataWriter metadata(target, options.overlay, job.observer);
  LayerTree tree(target, options.lower, metadata, options.limits.directories);
  AppliedLayer layer{.diff_id = DiffId{Digest::of("")}};

  LayerApplier applier(stream, tree, metadata, options, layer, job);
  applier.run();
  layer.implied = tree.finish();
  layer.root_entry = tree.root_entry();
  layer.root_opaque = tree.root_opaque();
  layer.entries = applier.entries();
  layer.tar_size = stream.size();
  layer.diff_id = stream.diff_id();
  return layer;
}

}  // namespace lade::snapshot
