#include "snapshot/staged_layer.hpp"

#include "base/compress.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "snapshot/packed.hpp"
#include "snapshot/probe.hpp"
#include "store/layer_description.hpp"
#include "store/locked.hpp"

#include <fcntl.h>

#include <utility>

namespace lade::snapshot {

namespace {

constexpr std::size_t k_syncers = 8;  // which wait for the disk, not for a processor

Directory make_staging_directory(const store::Store& store, const std::string& name) {
  auto directory = store::make_locked_directory(store.staging(), name);
  if (!directory) throw Busy(str("staging directory ", quoted(name), " exists"));
  return std::move(*directory);
}

/// A directory of this process alone.
store::StagingHold make_staging(const store::Store& store, const std::string& name) {
  Directory directory = make_staging_directory(store, name);
  try {
    Directory tree = directory.ensure_child("tree", 0700);
    return {std::move(directory), std::move(tree), store::StagingHold::Found::made};
  } catch (...) {
    // Without the place of its files it is of no use.
    store.staging().remove_tree(name);
    throw;
  }
}

void drain(Source& source) {
  std::vector<std::byte> buffer(k_copy_buffer);
  while (source.read(buffer) > 0) {
  }
}

/// What a layer that any chain may hold is, once it is unpacked.
store::StoredLayer self_contained_layer(const AppliedLayer& applied) {
  return {.key = applied.diff_id.digest.hex(),
          .diff_id = applied.diff_id,
          .self_contained = true,
          .root_entry = applied.root_entry,
          .root_opaque = applied.root_opaque,
          .tar_size = applied.tar_size};
}

}  // namespace

StagedLayer::StagedLayer(const store::Store& store, std::string name, store::StagingHold hold,
                         Use use)
    : store_(store),
      name_(std::move(name)),
      hold_(std::move(hold)),
      use_(use),
      applied_{DiffId{Digest::of("")}} {}

StagedLayer::StagedLayer(const store::Store& store, Source& blob, const Directory* lower,
                         const Job& job)
    : store_(store),
      name_(store::unique_name("layer")),
      hold_(make_staging(store, name_)),
      use_(Use::alone),
      applied_{DiffId{Digest::of("")}} {
  try {
    fill(blob, {.lower = lower}, job);
  } catch (...) {
    store_.staging().remove_tree(name_);
    throw;
  }
}

std::unique_ptr<StagedLayer> StagedLayer::share(const store::Store& store, store::Lease& lease,
                                                const Digest& digest, Source& blob, const Job& job,
                                                PatientHasher* blob_hasher) {
  const std::string name = store::shared_staging_name(digest);
  store::StagingHold hold = store::hold_staging(store, name, job.stop, [&] {
    job.observer.note(NoteLevel::info,
                      str("waiting for another process that unpacks ", quoted(digest.text())));
  });
  const bool is_made = hold.found == store::StagingHold::Found::made;
  // Its destructor removes what is made here, should anything go wrong.
  std::unique_ptr<StagedLayer> layer(new StagedLayer(store, name, std::move(hold), Use::alone));
  if (is_made) {
    layer->fill(blob, {.blob_hasher = blob_hasher}, job);
    // To its end, where a wrong digest shows: nobody else is to get anything of such a blob.
    drain(blob);
    if (!layer->applied_.self_contained()) {
      layer->make_private();
      return layer;
    }
    layer->describe(self_contained_layer(layer->applied_));
    layer->use_ = Use::shared;
    store::offer_staging(layer->hold_);
  } else {
    layer->use_ = Use::shared;
    layer->read_description();
  }
  // From here on others may publish it, and remove the image that they publish it for.
  if (lease.hold_layer(layer->description().key) || layer->is_in_place()) return layer;
  return nullptr;
}

void StagedLayer::fill(Source& blob, ApplyOptions options, const Job& job) {
  const auto tar = decompress(blob);
  const bool is_flushed = store_.sync_mode() != store::SyncMode::none;
  if (find_support(store_).kind == SnapshotKind::flat) {
    applied_ = pack_layer(*tar, tree(), job.stop);
  } else {
    options.overlay = overlay_xattrs_of_process();
    options.write_back = is_flushed ? WriteBack::early : WriteBack::late;
    applied_ = apply_layer(*tar, tree(), options, job);
  }
  // Here, where several layers are at work at a time; one that is still to be finished waits.
  if (applied_.self_contained()) {
    record_ = record_layer(tree(), std::exchange(applied_.checksums, {}), job.stop);
  }
}

/// What another process has made of it.
void StagedLayer::read_description() {
  description_ = store::find_staged_description(hold_.directory);
  if (!description_) throw Busy(str("staging directory ", quoted(name_), " was taken away"));
  applied_.diff_id = description_->diff_id;
  applied_.tar_size = description_->tar_size;
  applied_.root_entry = description_->root_entry;
  applied_.root_opaque = description_->root_opaque;
}

/// It is to be finished against one chain, and of no use to others: they find the name free.
void StagedLayer::make_private() {
  std::string name = store::unique_name("layer");
  store_.staging().rename(name_, store_.staging(), name);
  name_ = std::move(name);
  const std::string path = store_.staging().path_of(name_);
  hold_.directory = Directory(duplicate(hold_.directory.handle()), path);
  hold_.tree = Directory(duplicate(hold_.tree.handle()), str(path, "/tree"));
}

bool StagedLayer::is_in_place() const {
  return store::still_there(store_.staging(), name_, hold_.directory.handle());
}

StagedLayer::~StagedLayer() {
  if (published_) return;
  try {
    if (use_ == Use::shared && !store::end_staging(store_, name_, hold_)) return;
    store_.staging().remove_tree(name_);
  } catch (const Error&) {
    // Nobody to tell in a destructor; the next pull sweeps what has no owner any more.
  }
}

ChainLink StagedLayer::link() const {
  // Not by a name of a shared one: who shares it may publish it at any time.
  return {use_ == Use::shared ? str("/proc/self/fd/", tree().fd()) : tree().path(),
          applied_.root_entry, applied_.root_opaque};
}

void StagedLayer::describe(const store::StoredLayer& layer) {
  const bool is_described = description_.has_value();
  description_ = layer;
  if (is_described) return;
  if (!layer.self_contained) record_ = record_layer(tree(), applied_.checksums);
  write(k_layer_record, record_);
  // Last: where it is, all is.
  write(store::k_layer_description, store::layer_description(layer));
}

const store::StoredLayer& StagedLayer::description() const {
  return description_.value();
}

/// No fsync: what makes the tree durable makes this durable too.
void StagedLayer::write(const std::string& name, const std::string& text) const {
  const Fd file = hold_.directory.open_file(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  write_all(file, as_bytes(text), hold_.directory.path_of(name));
}

void StagedLayer::sync(const std::stop_token& stop) const {
  store::sync_tree(hold_.directory, ".", k_syncers, stop);
}

bool StagedLayer::publish() {
  const std::string& key = description().key;
  if (store_.layers().exists(key)) return false;
  if (!is_in_place()) throw Busy(str("staging directory ", quoted(name_), " was taken away"));
  store_.staging().rename(name_, store_.layers(), key);
  published_ = true;
  return true;
}

}  // namespace lade::snapshot
