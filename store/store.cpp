#include "store/store.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "store/blob_writer.hpp"
#include "store/locked.hpp"
#include "store/reserve.hpp"
#include "store/shared_staging.hpp"
#include "store/state.hpp"
#include "store/trash.hpp"

#include <fcntl.h>

#include <algorithm>

namespace lade::store {

namespace {

/// Whether there is anything that an index would know.
bool has_contents(const Store::State& state) {
  return !state.blobs.list().empty() || !state.layers.list().empty();
}

/// Opens the index, which makes files beside it, also on a full disk.
Database open_index(const Directory& root, SyncMode sync) {
  const auto st = root.find_stat(k_index);
  if (st && !S_ISREG(st->st_mode)) {
    throw_damaged(
        str("open store ", quoted(root.path()), ": its ", quoted(k_index), " is no file"));
  }
  std::optional<Database> opened;
  on_full_disk(root, [&] {
    opened.emplace(Database::open(root.path_of(k_index),
                                  sync == SyncMode::none ? Durability::process : Durability::disk));
    opened->user_version();
  });
  return *std::move(opened);
}

/// Makes the tables of a new store, or brings older ones up to date.
void prepare_schema(Store::State& state) {
  auto database = state.database.lock();
  if (has_current_schema(*database)) return;
  ensure_reserve(state.root);
  // One process makes or migrates it: changing the journal mode does not wait for others, it fails.
  const CommitLock lock(state.root);
  if (database->user_version() == 0 && has_contents(state)) {
    throw_damaged(str("open store ", quoted(state.root.path()), ": its index is gone"));
  }
  ensure_schema(*database);
  // The directories outlive a power cut as the index does, however images are flushed.
  state.root.child("blobs").sync();
  state.root.sync();
}

}  // namespace

CommitLock::CommitLock(const Directory& root) : held_(root.open_file(".", O_RDONLY | O_DIRECTORY)) {
  lock_exclusively(held_, root.path());
}

Store::State::State(Directory opened_root, IndexUse index_use, Database opened_database,
                    const OpenOptions& opened_with)
    : options(opened_with),
      root(std::move(opened_root)),
      use(std::move(index_use)),
      blobs(open_part(open_part(root, "blobs"), "sha256")),
      ingest(open_part(root, "ingest")),
      staging(open_part(root, "staging")),
      layers(open_part(root, "layers")),
      containers(open_part(root, "containers")),
      trash(open_part(root, "trash")),
      database(std::in_place, std::move(opened_database)) {}

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Store Store::open(const std::string& path, const OpenOptions& options) {
  Directory root = open_root(path);
  IndexUse use = IndexUse::shared(root);
  Database database = open_index(root, options.sync);
  auto state =
      std::make_unique<State>(std::move(root), std::move(use), std::move(database), options);
  prepare_schema(*state);
  return Store(std::move(state));
}

void Store::let_go_of_index() const {
  state_->use.end();
}

SyncMode Store::sync_mode() const noexcept {
  return state_->options.sync;
}
const Directory& Store::root() const noexcept {
  return state_->root;
}
const Directory& Store::blobs() const noexcept {
  return state_->blobs;
}
const Directory& Store::ingest() const noexcept {
  return state_->ingest;
}
const Directory& Store::staging() const noexcept {
  return state_->staging;
}
const Directory& Store::layers() const noexcept {
  return state_->layers;
}
const Directory& Store::containers() const noexcept {
  return state_->containers;
}
const Directory& Store::trash() const noexcept {
  return state_->trash;
}

std::string Store::read_blob(const Digest& digest) const {
  std::string bytes =
      read_whole(open_blob(*this, digest), k_manifest_cap, str("blob ", digest.text()));
  const Digest found = Digest::of(bytes, digest.algorithm());
  if (found != digest) {
    throw Refused(
        str("read blob ", quoted(digest.text()), ": its bytes have digest ", quoted(found.text())));
  }
  return bytes;
}

std::string Store::read_config(const StoredImage& image) const {
  return read_blob(image.id);
}

RawManifest Store::read_manifest(const StoredImage& image) const {
  return {read_blob(image.manifest.digest), image.manifest.media_type, image.manifest.digest};
}

bool Store::discard(const Directory& from, const std::string& name) const {
  // Names come from the index too, and that is a file like others.
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
    throw InvalidData(str("discard ", quoted(from.path_of(name)), ": that is not a name"));
  }
  if (!from.exists(name)) return false;
  from.rename(name, trash(), unique_name(name));
  return true;
}

void Store::empty_trash(IfBusy if_busy) const {
  store::empty_trash(trash(), if_busy);
}

void Store::sweep_ingest() const {
  std::vector<std::pair<std::int64_t, std::string>> newest_first;
  for (const std::string& name : ingest().list()) {
    if (const auto st = ingest().find_stat(name)) newest_first.emplace_back(-st->st_mtime, name);
  }
  std::sort(newest_first.begin(), newest_first.end());
  const std::int64_t oldest = now().seconds - std::chrono::seconds(k_ingest_age).count();
  std::uint64_t total = 0;
  for (const auto& [minus_time, name] : newest_first) {
    const auto st = ingest().find_stat(name);
    if (!st) continue;
    total += static_cast<std::uint64_t>(st->st_size);
    const bool is_blob = S_ISREG(st->st_mode) && Digest::try_parse("sha256:" + name).has_value();
    if (is_blob && -minus_time >= oldest && total <= k_ingest_cap) continue;
    if (const auto claimed = claim_abandoned(ingest(), name)) discard(ingest(), name);
  }
}

void Store::tidy_up() const {
  empty_trash(IfBusy::wait);
  ensure_reserve(root());
}

void Store::sweep_leftovers(IfBusy if_busy) const {
  sweep_ingest();
  sweep_staging(*this);
  empty_trash(if_busy);
}

}  // namespace lade::store
