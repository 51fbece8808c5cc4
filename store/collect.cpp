// Garbage collection and the account of what takes room: the index and the disk, looked at
// together.
#include "base/error.hpp"
#include "base/text.hpp"
#include "store/disk_usage.hpp"
#include "store/garbage.hpp"
#include "store/lease.hpp"
#include "store/locked.hpp"
#include "store/reserve.hpp"
#include "store/state.hpp"

#include <map>

namespace lade::store {

namespace {

std::set<std::string> read_set(Database& database, const char* sql) {
  std::set<std::string> values;
  Statement rows(database, sql);
  while (rows.step()) values.insert(rows.text(0));
  return values;
}

constexpr const char* k_needed_chains =
    "WITH RECURSIVE needed (id) AS ("
    " SELECT chain FROM images WHERE chain IS NOT NULL"
    " UNION SELECT parent FROM chains JOIN needed ON chains.id = needed.id"
    " WHERE parent IS NOT NULL) ";

Inventory take_inventory(const Store& store, Database& database) {
  Inventory inventory{
      .needed_blobs = read_set(database, "SELECT DISTINCT blob FROM image_blobs"),
      .needed_layers =
          read_set(database,
                   str(k_needed_chains, "SELECT layer FROM chains JOIN needed USING (id)").c_str()),
      .held = read_set(database, "SELECT DISTINCT name FROM lease_items"),
      .blob_rows = read_set(database, "SELECT digest FROM blobs"),
      .layer_rows = read_set(database, "SELECT key FROM layers"),
      .blob_files = {},
      .layer_files = {}};
  for (const std::string& name : store.blobs().list()) {
    if (const auto digest = Digest::try_parse("sha256:" + name)) {
      inventory.blob_files.insert(digest->text());
    }
  }
  for (const std::string& name : store.layers().list()) inventory.layer_files.insert(name);
  return inventory;
}

void delete_rows(Database& database, const Garbage& garbage) {
  WriteTransaction transaction(database);
  database.execute(
      str(k_needed_chains, "DELETE FROM chains WHERE id NOT IN (SELECT id FROM needed)"));
  Statement blob(database, "DELETE FROM blobs WHERE digest = ?");
  for (const std::string& digest : garbage.blob_rows) blob.bind(digest).run();
  Statement layer(database, "DELETE FROM layers WHERE key = ?");
  for (const std::string& key : garbage.layer_rows) layer.bind(key).run();
  transaction.commit();
}

/// The sizes of what may go, by name; looked at before anything is locked.
std::map<std::string, std::uint64_t> measure(const Store& store, const Garbage& garbage) {
  std::map<std::string, std::uint64_t> sizes;
  for (const std::string& digest : garbage.blob_files) {
    sizes[digest] = disk_usage(store.blobs(), Digest::parse(digest).hex());
  }
  for (const std::string& key : garbage.layer_files) sizes[key] = disk_usage(store.layers(), key);
  return sizes;
}

Collected describe(const Garbage& garbage, const std::map<std::string, std::uint64_t>& sizes) {
  Collected collected;
  const auto count = [&](const std::string& name) {
    if (const auto size = sizes.find(name); size != sizes.end()) collected.size += size->second;
  };
  for (const std::string& digest : garbage.blob_files) {
    collected.blobs.push_back(Digest::parse(digest));
    count(digest);
  }
  for (const std::string& key : garbage.layer_files) {
    collected.layers.push_back(key);
    count(key);
  }
  return collected;
}

/// What is in ingest/ and belongs to no living process.
void collect_partials(const Store& store, bool dry_run, Collected& collected) {
  for (const std::string& name : store.ingest().list()) {
    const auto claimed = claim_abandoned(store.ingest(), name);
    if (!claimed) continue;
    collected.partials.push_back(name);
    collected.size += disk_usage(store.ingest(), name);
    if (!dry_run) store.discard(store.ingest(), name);
  }
}

}  // namespace

Collected Store::collect(const CollectRequest& request) {
  end_dead_leases(*state_->database.lock());
  const auto plan = [&](Database& database) {
    const ReadTransaction transaction(database);
    return find_garbage(take_inventory(*this, database));
  };
  // Twice: the sizes take their time, which nobody is to wait for.
  Garbage garbage = plan(*state_->database.lock());
  const auto sizes = measure(*this, garbage);
  Collected collected;
  if (request.dry_run) {
    // Under the lock: a pull gives its files their names first, and makes their rows then.
    const CommitLock lock(root());
    garbage = plan(*state_->database.lock());
    collected = describe(garbage, sizes);
  } else {
    const CommitLock lock(root());
    auto database = state_->database.lock();
    garbage = plan(*database);
    on_full_disk(root(), [&] { delete_rows(*database, garbage); });
    for (const std::string& key : garbage.layer_files) discard(layers(), key);
    for (const std::string& digest : garbage.blob_files) {
      discard(blobs(), Digest::parse(digest).hex());
    }
    collected = describe(garbage, sizes);
  }
  if (request.partials) collect_partials(*this, request.dry_run, collected);
  if (!request.dry_run) {
    sweep_leftovers(IfBusy::wait);
    ensure_reserve(root());
  }
  return collected;
}

namespace {

/// How many images need each blob and each layer, by the names that measure() uses.
using Users = std::map<std::string, std::set<std::string>>;

void read_users(Database& database, const char* sql, Users& users) {
  Statement rows(database, sql);
  while (rows.step()) users[rows.text(0)].insert(rows.text(1));
}

constexpr const char* k_layers_of_images =
    "WITH RECURSIVE link (image, id) AS ("
    " SELECT id, chain FROM images WHERE chain IS NOT NULL"
    " UNION SELECT link.image, chains.parent FROM chains JOIN link ON chains.id = link.id"
    " WHERE chains.parent IS NOT NULL)"
    " SELECT chains.layer, link.image FROM link JOIN chains ON chains.id = link.id";

}  // namespace

Usage Store::usage() const {
  Users users;
  Inventory inventory;
  {
    auto database = state_->database.lock();
    const ReadTransaction transaction(*database);
    inventory = take_inventory(*this, *database);
    read_users(*database, "SELECT blob, image FROM image_blobs", users);
    read_users(*database, k_layers_of_images, users);
  }
  Usage usage;
  struct Sizes {
    std::uint64_t shared = 0;
    std::uint64_t unique = 0;
  };
  std::map<std::string, Sizes> by_image;
  const auto add = [&](const std::string& name, std::uint64_t size, std::uint64_t& total) {
    total += size;
    const auto needed = users.find(name);
    if (needed == users.end()) {
      usage.reclaimable += size;
      return;
    }
    for (const std::string& image : needed->second) {
      (needed->second.size() > 1 ? by_image[image].shared : by_image[image].unique) += size;
    }
  };
  for (const std::string& digest : inventory.blob_files) {
    add(digest, disk_usage(blobs(), Digest::parse(digest).hex()), usage.blobs);
  }
  for (const std::string& key : inventory.layer_files) {
    add(key, disk_usage(layers(), key), usage.layers);
  }
  for (const std::string& name : ingest().list()) usage.partials += disk_usage(ingest(), name);
  for (const std::string& id : containers().list())
    usage.containers += disk_usage(containers(), id);
  for (const StoredImage& image : list_images()) {
    const Sizes& sizes = by_image[image.id.text()];
    usage.images.push_back({image.id, sizes.shared, sizes.unique});
  }
  return usage;
}

}  // namespace lade::store
