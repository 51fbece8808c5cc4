#include "store/store.hpp"

#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "store/blob_writer.hpp"
#include "store/locked.hpp"
#include "store/reserve.hpp"
#include "store/state.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

namespace lade::store {

namespace {

constexpr std::size_t k_unlinkers = 4;
constexpr const char* k_marker = "lade-store";
constexpr const char* k_layout = "oci-layout";
constexpr std::string_view k_marker_text = "lade store, layout 1\n";
constexpr std::string_view k_layout_text = "{\"imageLayoutVersion\":\"1.0.0\"}";

/// Whether Directory::write_file() has left `name` when it was to write `file`.
bool is_begun(const std::string& name, const char* file) {
  return name.starts_with(str('.', file, '.'));
}

/// Makes an empty directory a store. The marker comes first: whatever interrupts this, the next
/// process knows the directory for ours and completes it.
void initialise(const Directory& root) {
  lock_exclusively(root.handle(), root.path());
  if (!root.exists(k_marker)) {
    const auto names = root.list();
    const bool foreign = std::any_of(names.begin(), names.end(), [](const std::string& name) {
      return !is_begun(name, k_marker) && name != "lost+found";
    });
    if (foreign) {
      throw InvalidData(str("open store ", quoted(root.path()),
                            ": the directory is not empty and is not a store of lade"));
    }
    root.write_file(k_marker, k_marker_text, 0600);
  }
  if (!root.exists(k_layout)) root.write_file(k_layout, k_layout_text, 0644);
  // Of processes that were killed here: whoever is not finds the lock taken.
  for (const std::string& name : root.list()) {
    if (is_begun(name, k_marker) || is_begun(name, k_layout)) root.remove_file(name);
  }
  root.sync();
  ::flock(root.fd(), LOCK_UN);
}

void check_marker(const Directory& root) {
  const Fd marker = root.open_file(k_marker, O_RDONLY | O_NONBLOCK);
  const std::string text = read_whole(marker, 4096, root.path_of(k_marker));
  if (text != k_marker_text) {
    throw InvalidData(str("open store ", quoted(root.path()), ": its layout is ",
                          quoted(trim(text)), ", this build knows ", quoted(trim(k_marker_text))));
  }
}

/// Opens ROOT, which only its owner may enter: images hold setuid programs (CVE-2021-41091).
Directory open_root(const std::string& path) {
  Directory root = Directory::ensure(path, 0700);
  if (!root.exists(k_marker) || !root.exists(k_layout)) initialise(root);
  check_marker(root);
  if ((stat_of(root.handle(), path).st_mode & 07777) != 0700) {
    check_syscall(::fchmod(root.fd(), 0700), [&] { return str("chmod ", quoted(path)); });
  }
  return root;
}

/// Opens the index, which makes files beside it, also on a full disk.
Database open_database(const Directory& root, SyncMode sync) {
  std::optional<Database> opened;
  on_full_disk(root, [&] {
    opened.emplace(Database::open(root.path_of("index.db"),
                                  sync == SyncMode::none ? Durability::process : Durability::disk));
    opened->user_version();
  });
  return *std::move(opened);
}

}  // namespace

CommitLock::CommitLock(const Directory& root) : held_(root.open_file(".", O_RDONLY | O_DIRECTORY)) {
  lock_exclusively(held_, root.path());
}

Store::State::State(Directory opened_root, const OpenOptions& opened_with)
    : options(opened_with),
      root(std::move(opened_root)),
      blobs(root.ensure_child("blobs", 0700).ensure_child("sha256", 0700)),
      ingest(root.ensure_child("ingest", 0700)),
      staging(root.ensure_child("staging", 0700)),
      layers(root.ensure_child("layers", 0700)),
      containers(root.ensure_child("containers", 0700)),
      trash(root.ensure_child("trash", 0700)),
      database(std::in_place, open_database(root, options.sync)) {
  auto opened = database.lock();
  if (has_current_schema(*opened)) return;
  ensure_reserve(root);
  // One process makes or migrates it: changing the journal mode does not wait for others, it fails.
  const CommitLock lock(root);
  ensure_schema(*opened);
  // The directories outlive a power cut as the index does, however images are flushed.
  root.child("blobs").sync();
  root.sync();
}

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Store Store::open(const std::string& root, const OpenOptions& options) {
  return Store(std::make_unique<State>(open_root(root), options));
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
  if (!from.exists(name)) return false;
  from.rename(name, trash(), unique_name(name));
  return true;
}

void Store::empty_trash() const {
  // One process at a time: two would remove the same tree under each other's feet.
  const Fd lock = trash().open_file(".", O_RDONLY | O_DIRECTORY);
  lock_exclusively(lock, trash().path());
  const std::vector<std::string> names = trash().list();
  parallel_for_each(names.size(), k_unlinkers, {},
                    [&](std::size_t i, const std::stop_token&) { trash().remove_tree(names[i]); });
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

void Store::sweep_leftovers() const {
  sweep_ingest();
  for (const std::string& name : staging().list()) {
    if (const auto claimed = claim_abandoned(staging(), name)) discard(staging(), name);
  }
  empty_trash();
}

}  // namespace lade::store
