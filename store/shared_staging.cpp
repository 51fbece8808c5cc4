#include "store/shared_staging.hpp"

#include "base/error.hpp"
#include "base/process_identity.hpp"
#include "base/text.hpp"
#include "store/layer_description.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <optional>

namespace lade::store {

namespace {

constexpr const char* k_tree = "tree";
constexpr int k_quiet_waits = 4;  // what others do with a lock for a moment is not told

/// Nothing if it is not there, or is something else.
std::optional<Directory> find_directory(const Directory& parent, const std::string& name) {
  const auto st = parent.find_stat(name);
  if (!st || !S_ISDIR(st->st_mode)) return std::nullopt;
  auto file = parent.find_file(name, O_RDONLY | O_DIRECTORY);
  if (!file) return std::nullopt;
  return Directory(std::move(*file), parent.path_of(name));
}

void unlock(const Directory& directory) {
  ::flock(directory.fd(), LOCK_UN);
}

/// Puts a directory that is not empty in a free place; whether the place was free.
bool put_in_place(const Directory& staging, const std::string& from, const std::string& to) {
  if (::renameat(staging.fd(), from.c_str(), staging.fd(), to.c_str()) == 0) return true;
  if (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR) return false;
  throw SystemError(errno, str("rename ", quoted(staging.path_of(from)), " to ", quoted(to)));
}

/// An empty one of that name, locked; nothing if the name is taken. Made under a name of its own:
/// between a mkdir() of a name that others want too and the open() of it there may be another
/// directory, which somebody has filled since.
std::optional<StagingHold> make(const Directory& staging, const std::string& name) {
  if (staging.exists(name)) return std::nullopt;
  const std::string own_name = unique_name("blob");
  auto directory = make_locked_directory(staging, own_name);
  if (!directory) throw Busy(str("staging directory ", quoted(own_name), " exists"));
  try {
    Directory tree = directory->ensure_child(k_tree, 0700);
    lock_shared(tree.handle(), tree.path());
    if (put_in_place(staging, own_name, name)) {
      Directory placed(duplicate(directory->handle()), staging.path_of(name));
      Directory placed_tree(duplicate(tree.handle()), placed.path_of(k_tree));
      return StagingHold{std::move(placed), std::move(placed_tree), StagingHold::Found::made};
    }
  } catch (...) {
    staging.remove_tree(own_name);
    throw;
  }
  staging.remove_tree(own_name);
  return std::nullopt;
}

enum class Outcome { held, gone, busy };

/// The one that is there, if it is whole; what its maker died over is removed.
Outcome try_to_join(const Directory& staging, const std::string& name,
                    std::optional<StagingHold>& hold) {
  auto directory = find_directory(staging, name);
  if (!directory) {
    // Of a directory that is made at this moment this removes nothing.
    ::unlinkat(staging.fd(), name.c_str(), 0);
    return Outcome::gone;
  }
  if (!try_lock(directory->handle())) return Outcome::busy;
  if (!still_there(staging, name, directory->handle())) return Outcome::gone;
  auto tree = find_directory(*directory, k_tree);
  if (tree && find_staged_description(*directory)) {
    // Its holders are sharing it; whoever is about to remove it has the first lock.
    if (!try_lock_shared(tree->handle())) return Outcome::busy;
    unlock(*directory);
    hold = StagingHold{std::move(*directory), std::move(*tree), StagingHold::Found::whole};
    return Outcome::held;
  }
  staging.remove_tree(name);
  return Outcome::gone;
}

}  // namespace

std::string shared_staging_name(const Digest& blob) {
  return str("blob.", blob.hex(), '.', boot_id());
}

StagingHold hold_staging(const Store& store, const std::string& name, const std::stop_token& stop,
                         const std::function<void()>& on_wait) {
  Patience patience(stop, on_wait, k_quiet_waits);
  for (;;) {
    if (stop.stop_requested()) throw Cancelled();
    if (auto made = make(store.staging(), name)) return std::move(*made);
    std::optional<StagingHold> hold;
    const Outcome outcome = try_to_join(store.staging(), name, hold);
    if (outcome == Outcome::held) return std::move(*hold);
    if (outcome == Outcome::busy) patience.wait();
  }
}

void offer_staging(const StagingHold& hold) {
  unlock(hold.directory);
}

bool end_staging(const Store& store, const std::string& name, const StagingHold& hold) {
  lock_exclusively(hold.directory.handle(), hold.directory.path());
  if (still_there(store.staging(), name, hold.directory.handle()) && try_lock(hold.tree.handle())) {
    return true;
  }
  unlock(hold.tree);
  unlock(hold.directory);
  return false;
}

void sweep_staging(const Store& store) {
  for (const std::string& name : store.staging().list()) {
    const auto claimed = claim_abandoned(store.staging(), name);
    if (!claimed) continue;
    if (const auto directory = find_directory(store.staging(), name)) {
      const auto tree = find_directory(*directory, k_tree);
      if (tree && !try_lock(tree->handle())) continue;
    }
    store.discard(store.staging(), name);
  }
}

}  // namespace lade::store
