#include "snapshot/image_sink.hpp"

#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/image_config.hpp"
#include "oci/verified_source.hpp"
#include "snapshot/image_commit.hpp"
#include "snapshot/staged_layer.hpp"
#include "store/blob_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <thread>

namespace lade::snapshot {

namespace {

void drain(Source& source) {
  std::vector<std::byte> buffer(k_copy_buffer);
  while (source.read(buffer) > 0) {
  }
}

/// Marks a blob as being written by one thread, for as long as it lives.
class InProgress {
 public:
  InProgress(Sync<Staged>& staged, const Digest& digest) : staged_(staged), digest_(digest) {
    auto locked = staged_.lock();
    owner_ = locked->blobs.count(digest_) == 0 && locked->in_progress.insert(digest_).second;
  }
  InProgress(const InProgress&) = delete;
  InProgress& operator=(const InProgress&) = delete;
  ~InProgress() {
    if (owner_) staged_.lock()->in_progress.erase(digest_);
  }
  bool owner() const noexcept { return owner_; }

 private:
  Sync<Staged>& staged_;
  const Digest& digest_;
  bool owner_ = false;
};

}  // namespace

struct LocalImageSink::State {
  State(store::Store& used_store, std::vector<Reference> used_names, Job used_job)
      : store(used_store), names(std::move(used_names)), job(std::move(used_job)) {}

  /// Applies a layer while its blob is written; what the bytes truly were is told before what
  /// unpacking them ran into.
  std::unique_ptr<StagedLayer> unpack(const Descriptor& descriptor, Source& verified) {
    try {
      return std::make_unique<StagedLayer>(store, verified, nullptr, job);
    } catch (InvalidData& error) {
      drain(verified);
      error.add_context(str("unpack layer ", quoted(descriptor.digest.text())));
      throw;
    }
  }

  store::Store& store;
  std::vector<Reference> names;
  Job job;
  Sync<Staged> staged;
  std::vector<RawManifest> manifests;
  std::vector<RawManifest> indexes;
  std::optional<Digest> image_id;
};

LocalImageSink::LocalImageSink(store::Store& store, std::vector<Reference> names, Job job)
    : state_(std::make_unique<State>(store, std::move(names), std::move(job))) {
  store.sweep_leftovers();
}

LocalImageSink::~LocalImageSink() = default;

bool LocalImageSink::has_blob(const Descriptor& descriptor) {
  if (state_->staged.lock()->blobs.count(descriptor.digest) > 0) return true;
  return store::has_blob(state_->store, descriptor);
}

void LocalImageSink::put_blob(const Descriptor& descriptor, Source& bytes) {
  const InProgress mark(state_->staged, descriptor.digest);
  // The same blob twice in one image: the other thread's copy is enough.
  if (!mark.owner()) return drain(bytes);

  auto writer = std::make_unique<store::BlobWriter>(state_->store, descriptor);
  TapSource written(bytes, [&](std::span<const std::byte> piece) { writer->write(piece); });
  std::unique_ptr<StagedLayer> layer;
  if (is_layer_tar(descriptor.media_type)) {
    layer = state_->unpack(descriptor, written);
  }
  drain(written);
  writer->finish();

  auto staged = state_->staged.lock();
  staged->blobs[descriptor.digest] = std::move(writer);
  if (layer) staged->layers[descriptor.digest] = std::move(layer);
}

void LocalImageSink::put_manifest(const RawManifest& manifest, const ManifestKey& key) {
  if (const auto* digest = std::get_if<Digest>(&key); digest && *digest != manifest.digest) {
    throw Refused(
        str("manifest ", quoted(digest->text()), " has digest ", quoted(manifest.digest.text())));
  }
  if (manifest.kind() == ManifestKind::index) {
    state_->indexes.push_back(manifest);
  } else if (manifest.kind() == ManifestKind::image) {
    state_->manifests.push_back(manifest);
  } else {
    throw InvalidData(str("manifest ", quoted(manifest.digest.text()), " is of type ",
                          quoted(manifest.media_type), ", which cannot be unpacked"));
  }
  const Descriptor descriptor = manifest.descriptor();
  if (has_blob(descriptor)) return;
  StringSource bytes(manifest.bytes);
  VerifiedSource verified(bytes, descriptor);
  put_blob(descriptor, verified);
}

void LocalImageSink::commit() {
  State& state = *state_;
  Task task(state.job.observer, TaskKind::commit, "image");
  auto staged = state.staged.lock();
  ImageCommit commit(state.store, *staged, state.names, state.indexes, state.job);
  for (const RawManifest& manifest : state.manifests) commit.prepare(manifest);
  state.image_id = commit.publish();
  task.finish();
}

const Digest& LocalImageSink::image_id() const {
  return state_->image_id.value();
}

}  // namespace lade::snapshot
