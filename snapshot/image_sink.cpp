#include "snapshot/image_sink.hpp"

#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/image_config.hpp"
#include "oci/verified_source.hpp"
#include "snapshot/image_commit.hpp"
#include "snapshot/new_layer.hpp"
#include "snapshot/probe.hpp"
#include "snapshot/staged_layer.hpp"
#include "store/blob_writer.hpp"
#include "store/lease.hpp"

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

  /// Whether another process has unpacked that very blob, and committed what came of it.
  bool is_unpacked(const Descriptor& descriptor) {
    const auto diff_id = store.find_diff_id(descriptor.digest);
    const auto layer = diff_id ? store.find_layer(*diff_id) : std::nullopt;
    return layer && lease.hold_layer(layer->key);
  }

  /// Applies a layer while its blob is written, unless another process has done it or is about to;
  /// what the bytes truly were is told before what unpacking them ran into.
  std::unique_ptr<StagedLayer> unpack(const Descriptor& descriptor, Source& verified,
                                      PatientHasher* blob_hasher) {
    if (is_unpacked(descriptor)) return nullptr;
    try {
      return StagedLayer::share(store, lease, descriptor.digest, verified, job, blob_hasher);
    } catch (InvalidData& error) {
      drain(verified);
      error.add_context(str("unpack layer ", quoted(descriptor.digest.text())));
      throw;
    }
  }

  /// The blob's ingest file; nothing if the blob is in the store meanwhile, and held there.
  std::unique_ptr<store::BlobWriter> claim(const Descriptor& descriptor,
                                           const std::stop_token& stop);
  std::unique_ptr<store::BlobWriter> claim_afresh(const Descriptor& descriptor);
  /// Lets go of what begin_blob() took hold of: another thread writes that blob.
  void give_up_begun(const Digest& digest);
  /// The one that begin_blob() took hold of, else a new one.
  std::unique_ptr<store::BlobWriter> take_writer(const Descriptor& descriptor);
  /// Writes a blob and unpacks it if it is a layer.
  std::unique_ptr<StagedLayer> receive(const Descriptor& descriptor, Source& bytes,
                                       store::BlobWriter& writer);
  void note_failure(const Digest& digest, bool can_be_continued);
  /// Decides what stays in ingest/ of what was not committed.
  ~State();

  store::Store& store;
  store::Lease lease{store};
  std::vector<Reference> names;
  Job job;
  Sync<Staged> staged;
  std::vector<RawManifest> manifests;
  std::vector<RawManifest> indexes;
  std::optional<Digest> image_id;
};

std::unique_ptr<store::BlobWriter> LocalImageSink::State::claim(const Descriptor& descriptor,
                                                                const std::stop_token& stop) {
  for (;;) {
    auto writer = store::BlobWriter::claim(store, descriptor, stop, [&] {
      job.observer.note(NoteLevel::info,
                        str("waiting for another pull of ", quoted(descriptor.digest.text())));
    });
    // It may have been removed since.
    if (writer || lease.hold_blob(descriptor)) return writer;
  }
}

/// For a stream that begins at the beginning whatever is kept.
std::unique_ptr<store::BlobWriter> LocalImageSink::State::claim_afresh(
    const Descriptor& descriptor) {
  auto writer = claim(descriptor, job.stop);
  if (!writer || writer->kept() == 0 || writer->restart()) return writer;
  // Complete, but nobody here has verified it: gone now, unless a live process vouches for it.
  writer.reset();
  return claim(descriptor, job.stop);
}

void LocalImageSink::State::give_up_begun(const Digest& digest) {
  std::unique_ptr<store::BlobWriter> begun;
  if (auto node = staged.lock()->begun.extract(digest)) begun = std::move(node.mapped());
  if (begun) begun->set_leave(store::Leave::bytes);
}

std::unique_ptr<store::BlobWriter> LocalImageSink::State::take_writer(
    const Descriptor& descriptor) {
  std::unique_ptr<store::BlobWriter> begun;
  std::unique_ptr<store::BlobWriter>
      failed;  // an earlier attempt's, whose lock would be in the way
  {
    auto locked = staged.lock();
    if (auto node = locked->begun.extract(descriptor.digest)) begun = std::move(node.mapped());
    if (auto node = locked->written.extract(descriptor.digest)) failed = std::move(node.mapped());
  }
  failed.reset();
  return begun ? std::move(begun) : claim_afresh(descriptor);
}

std::unique_ptr<StagedLayer> LocalImageSink::State::receive(const Descriptor& descriptor,
                                                            Source& bytes,
                                                            store::BlobWriter& writer) {
  TapSource written(bytes, [&](std::span<const std::byte> piece) { writer.write(piece); });
  std::unique_ptr<StagedLayer> layer;
  if (is_layer_tar(descriptor.media_type)) {
    auto* hashed = dynamic_cast<HashedStream*>(&bytes);
    layer = unpack(descriptor, written, hashed != nullptr ? &hashed->hasher() : nullptr);
  }
  drain(written);
  writer.finish();
  return layer;
}

void LocalImageSink::State::note_failure(const Digest& digest, bool can_be_continued) {
  auto locked = staged.lock();
  if (can_be_continued) {
    locked->interrupted = true;
  } else {
    locked->spoilt.insert(digest);
  }
}

LocalImageSink::State::~State() {
  auto locked = staged.lock();
  const bool keep = locked->spoilt.empty() && (locked->interrupted || job.stop.stop_requested());
  if (!keep) return;
  for (auto* writers : {&locked->blobs, &locked->begun, &locked->written}) {
    for (auto& [digest, writer] : *writers) writer->set_leave(store::Leave::bytes);
  }
}

LocalImageSink::LocalImageSink(store::Store& store, std::vector<Reference> names, Job job)
    : state_(std::make_unique<State>(store, std::move(names), std::move(job))) {
  store.sweep_leftovers();
  const SnapshotSupport support = find_support(store);
  if (support.kind == SnapshotKind::flat) {
    state_->job.observer.note(NoteLevel::info,
                              str("layers stay packed: overlay does not work here: ", support.why));
  }
}

LocalImageSink::~LocalImageSink() = default;

bool LocalImageSink::has_blob(const Descriptor& descriptor) {
  if (state_->staged.lock()->blobs.count(descriptor.digest) > 0) return true;
  try {
    return state_->lease.hold_blob(descriptor);
  } catch (...) {
    state_->note_failure(descriptor.digest, false);
    throw;
  }
}

std::optional<KeptBytes> LocalImageSink::begin_blob(const Descriptor& descriptor,
                                                    const std::stop_token& stop) {
  std::vector<std::unique_ptr<store::BlobWriter>> before;
  {
    auto staged = state_->staged.lock();
    if (staged->blobs.count(descriptor.digest) + staged->in_progress.count(descriptor.digest) > 0) {
      return KeptBytes{};
    }
    for (auto* writers : {&staged->begun, &staged->written}) {
      auto node = writers->extract(descriptor.digest);
      if (node && staged->spoilt.count(descriptor.digest) == 0) {
        node.mapped()->set_leave(store::Leave::bytes);
      }
      if (node) before.push_back(std::move(node.mapped()));
    }
  }
  before.clear();
  try {
    auto writer = state_->claim(descriptor, stop);
    if (!writer) return std::nullopt;
    KeptBytes kept{.size = writer->kept()};
    if (kept.size > 0) {
      kept.bytes = std::make_unique<FdSource>(writer->reader(),
                                              str("ingest file of ", descriptor.digest.text()));
    }
    state_->staged.lock()->begun[descriptor.digest] = std::move(writer);
    return kept;
  } catch (const Cancelled&) {
    state_->note_failure(descriptor.digest, true);
    throw;
  } catch (...) {
    state_->note_failure(descriptor.digest, false);
    throw;
  }
}

void LocalImageSink::put_blob(const Descriptor& descriptor, Source& bytes) {
  const InProgress mark(state_->staged, descriptor.digest);
  // The same blob twice in one image: the other thread's copy is enough. It may be waiting for what
  // this one has claimed.
  if (!mark.owner()) {
    state_->give_up_begun(descriptor.digest);
    return drain(bytes);
  }
  auto writer = state_->take_writer(descriptor);
  // Another process was faster; its layer is unpacked at commit() if it is not there by then.
  if (!writer) return drain(bytes);

  store::BlobWriter& file = *writer;
  state_->staged.lock()->written[descriptor.digest] = std::move(writer);
  std::unique_ptr<StagedLayer> layer;
  try {
    layer = state_->receive(descriptor, bytes, file);
  } catch (const HttpError&) {
    state_->note_failure(descriptor.digest, true);
    throw;
  } catch (const Cancelled&) {
    state_->note_failure(descriptor.digest, true);
    throw;
  } catch (...) {
    state_->note_failure(descriptor.digest, false);
    throw;
  }

  auto staged = state_->staged.lock();
  staged->spoilt.erase(descriptor.digest);
  staged->blobs[descriptor.digest] = std::move(staged->written.extract(descriptor.digest).mapped());
  if (layer) staged->layers[descriptor.digest] = std::move(layer);
}

NewLayer LocalImageSink::put_new_layer(Source& tar) {
  StagedNewLayer staged = stage_new_layer(state_->store, tar, state_->job);
  NewLayer layer{staged.descriptor, staged.layer->applied().diff_id};
  std::unique_ptr<store::BlobWriter> writer;
  // As in claim(): the blob may be removed between being found and being held.
  do {
    writer = store::BlobWriter::adopt(state_->store, *staged.blob, state_->job.stop);
  } while (!state_->lease.hold_blob(layer.descriptor) && !writer);
  auto locked = state_->staged.lock();
  if (writer) locked->blobs[layer.descriptor.digest] = std::move(writer);
  locked->layers[layer.descriptor.digest] = std::move(staged.layer);
  return layer;
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
  auto staged = state.staged.lock();
  try {
    ImageCommit commit(state.store, state.lease, *staged, state.names, state.indexes, state.job);
    for (const RawManifest& manifest : state.manifests) commit.prepare(manifest);
    state.image_id = commit.publish();
    state.lease.end();
  } catch (const Error&) {
    // What was fetched is what was wanted, and is no image: not to be offered a second time.
    for (const RawManifest& manifest : state.manifests) staged->spoilt.insert(manifest.digest);
    throw;
  }
}

const Digest& LocalImageSink::image_id() const {
  return state_->image_id.value();
}

}  // namespace lade::snapshot
