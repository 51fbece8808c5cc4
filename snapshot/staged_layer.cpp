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

/// The place of its files; without it the directory is of no use, and goes.
Directory make_tree(const store::Store& store, const std::string& name,
                    const Directory& directory) {
  try {
    return directory.ensure_child("tree", 0700);
  } catch (...) {
    store.staging().remove_tree(name);
    throw;
  }
}

}  // namespace

StagedLayer::StagedLayer(const store::Store& store, Source& blob, const Directory* lower,
                         const Job& job)
    : store_(store),
      name_(store::unique_name("layer")),
      directory_(make_staging_directory(store, name_)),
      tree_(make_tree(store, name_, directory_)),
      applied_{DiffId{Digest::of("")}} {
  try {
    const auto tar = decompress(blob);
    const bool is_flushed = store.sync_mode() != store::SyncMode::none;
    if (find_support(store).kind == SnapshotKind::flat) {
      applied_ = pack_layer(*tar, tree_, job.stop);
    } else {
      applied_ = apply_layer(*tar, tree_,
                             {.overlay = overlay_xattrs_of_process(),
                              .lower = lower,
                              .write_back = is_flushed ? WriteBack::early : WriteBack::late},
                             job);
    }
    // Here, where several layers are at work at a time; one that is still to be finished waits.
    if (applied_.self_contained()) {
      record_ = record_layer(tree_, std::exchange(applied_.checksums, {}), job.stop);
    }
  } catch (...) {
    store_.staging().remove_tree(name_);
    throw;
  }
}

StagedLayer::~StagedLayer() {
  if (published_) return;
  try {
    store_.staging().remove_tree(name_);
  } catch (const Error&) {
    // Nobody to tell in a destructor; the next pull sweeps what has no owner any more.
  }
}

ChainLink StagedLayer::link() const {
  return {tree_.path(), applied_.root_entry, applied_.root_opaque};
}

void StagedLayer::describe(const store::StoredLayer& layer) {
  key_ = layer.key;
  if (!layer.self_contained) record_ = record_layer(tree_, applied_.checksums);
  write(store::k_layer_description, store::layer_description(layer));
  write(k_layer_record, record_);
}

/// No fsync: what makes the tree durable makes this durable too.
void StagedLayer::write(const std::string& name, const std::string& text) const {
  const Fd file = directory_.open_file(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  write_all(file, as_bytes(text), directory_.path_of(name));
}

void StagedLayer::sync(const std::stop_token& stop) const {
  store::sync_tree(store_.staging(), name_, k_syncers, stop);
}

bool StagedLayer::publish() {
  if (store_.layers().exists(key_)) return false;
  store_.staging().rename(name_, store_.layers(), key_);
  published_ = true;
  return true;
}

}  // namespace lade::snapshot
