// Removing images: the rows first, then the files that nothing else needs, by way of the trash.
#include "base/error.hpp"
#include "base/text.hpp"
#include "store/container_record.hpp"
#include "store/index_names.hpp"
#include "store/layer_description.hpp"
#include "store/lease.hpp"
#include "store/locked.hpp"
#include "store/reserve.hpp"
#include "store/state.hpp"

#include <exception>

namespace lade::store {

namespace {

std::optional<std::string> chain_of(Database& database, const std::string& image) {
  Statement rows(database, "SELECT chain FROM images WHERE id = ?");
  rows.bind(image);
  if (!rows.step() || rows.is_null(0)) return std::nullopt;
  return rows.text(0);
}

/// The tags of an image, and the digests that it was pulled by. Throws NotFound if it is not there.
std::vector<Reference> names_of(Database& database, const Digest& image) {
  Statement row(database, "SELECT 1 FROM images WHERE id = ?");
  row.bind(image.text());
  if (!row.step()) throw NotFound(str("image ", quoted(image.text()), " is not in the store"));
  std::vector<Reference> names;
  Statement rows(database,
                 "SELECT name FROM tags WHERE image = ?1 UNION ALL"
                 " SELECT name FROM image_digests WHERE image = ?1 AND asked ORDER BY name");
  rows.bind(image.text());
  while (rows.step()) names.push_back(Reference::parse(rows.text(0)));
  return names;
}

/// What the rows that were deleted leave behind in the file system.
struct Orphans {
  std::vector<std::string> blobs;
  std::vector<std::string> layers;
};

std::vector<std::string> blobs_of(Database& database, const std::string& image) {
  std::vector<std::string> blobs;
  Statement rows(database, "SELECT blob FROM image_blobs WHERE image = ?");
  rows.bind(image);
  while (rows.step()) blobs.push_back(rows.text(0));
  return blobs;
}

/// Deletes the links of a chain from its top down to the first that something else stands on.
void delete_chain(Database& database, std::optional<std::string> link, Orphans& orphans) {
  while (link) {
    Statement row(database, "SELECT parent, layer FROM chains WHERE id = ?");
    row.bind(*link);
    if (!row.step()) return;
    std::optional<std::string> parent;
    if (!row.is_null(0)) parent = row.text(0);
    const std::string layer = checked_layer_key(row.text(1));
    Statement(database,
              "DELETE FROM chains WHERE id = ?1"
              " AND NOT EXISTS (SELECT 1 FROM images WHERE chain = ?1)"
              " AND NOT EXISTS (SELECT 1 FROM chains AS above WHERE above.parent = ?1)")
        .bind(*link)
        .run();
    if (database.changes() == 0) return;
    Statement(database,
              "DELETE FROM layers WHERE key = ?1"
              " AND NOT EXISTS (SELECT 1 FROM chains WHERE layer = ?1)"
              " AND NOT EXISTS (SELECT 1 FROM lease_items WHERE name = ?2)")
        .bind(layer)
        .bind(lease_item_of_layer(layer))
        .run();
    if (database.changes() > 0) orphans.layers.push_back(layer);
    link = parent;
  }
}

void delete_blobs(Database& database, const std::vector<std::string>& blobs, Orphans& orphans) {
  Statement statement(database,
                      "DELETE FROM blobs WHERE digest = ?1"
                      " AND NOT EXISTS (SELECT 1 FROM image_blobs WHERE blob = ?1)"
                      " AND NOT EXISTS (SELECT 1 FROM lease_items WHERE name = ?2)");
  for (const std::string& blob : blobs) {
    const Digest digest = Digest::parse(blob);
    statement.bind(blob).bind(lease_item_of_blob(digest)).run();
    if (database.changes() > 0) orphans.blobs.push_back(digest.hex());
  }
}

Orphans delete_rows(Database& database, const std::string& image) {
  Orphans orphans;
  const auto blobs = blobs_of(database, image);
  const auto chain = chain_of(database, image);
  Statement(database, "DELETE FROM images WHERE id = ?").bind(image).run();
  delete_chain(database, chain, orphans);
  delete_blobs(database, blobs, orphans);
  return orphans;
}

/// Locks the containers, so that none of them runs while it is removed. Throws Busy if one does.
std::vector<Fd> claim_containers(const Directory& containers, const Digest& image,
                                 const std::vector<ContainerRecord>& users) {
  std::vector<Fd> claims;
  for (const ContainerRecord& user : users) {
    auto claim = claim_abandoned(containers, user.id);
    if (!claim) {
      throw Busy(str("remove image ", quoted(image.text()), ": container ", quoted(user.id),
                     " is running on it"));
    }
    claims.push_back(std::move(*claim));
  }
  return claims;
}

void refuse_mounted(const Directory& containers, const Digest& image,
                    const std::vector<ContainerRecord>& users) {
  for (const ContainerRecord& user : users) {
    const Directory container = containers.child(user.id);
    if (user.boot.empty() && !is_mounted(container)) continue;
    Busy error(str("remove image ", quoted(image.text()), ": mounted at ",
                   quoted(container.path_of(k_mount_point))));
    error.set_hint("`lade unmount` ends that");
    throw error;
  }
}

/// Takes as much out of the way as can be. What went wrong first is thrown after the last; gc finds
/// what stayed.
class Discarder {
 public:
  explicit Discarder(const Store& store) : store_(store) {}

  void discard(const Directory& from, const std::string& name) {
    try {
      store_.discard(from, name);
    } catch (const Error&) {
      if (!first_) first_ = std::current_exception();
    }
  }
  void finish() const {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  const Store& store_;
  std::exception_ptr first_;
};

[[noreturn]] void refuse_in_use(const Digest& image, const std::vector<ContainerRecord>& users) {
  std::vector<std::string> ids;
  for (const ContainerRecord& user : users) ids.push_back(quoted(user.id));
  throw Busy(str("remove image ", quoted(image.text()), ": used by container ", join(ids, ", ")));
}

}  // namespace

RemovedImage Store::remove_image(const Digest& image, RemovePolicy policy, Unlink unlink) {
  RemovedImage removed;
  Discarder files(*this);
  end_dead_leases(*state_->database.lock());
  {
    const CommitLock lock(root());
    const auto users = containers_of(containers(), image);
    refuse_mounted(containers(), image, users);
    if (policy != RemovePolicy::force && !users.empty()) refuse_in_use(image, users);
    const auto claims = claim_containers(containers(), image, users);
    Orphans orphans;
    on_full_disk(root(), [&] {
      auto database = state_->database.lock();
      WriteTransaction transaction(*database);
      removed.untagged = names_of(*database, image);
      if (policy == RemovePolicy::refuse_named && !removed.untagged.empty()) {
        throw Busy(str("remove image ", quoted(image.text()), ": it has a name now, ",
                       quoted(removed.untagged.front().text())));
      }
      orphans = delete_rows(*database, image.text());
      transaction.commit();
    });
    NameChanges changes;
    changes.forget(image);
    record_names(root(), *state_->database.lock(), changes);
    // Rows first: a process that dies here leaves files that nothing refers to, never the reverse.
    for (const ContainerRecord& user : users) files.discard(containers(), user.id);
    for (const std::string& name : orphans.layers) files.discard(layers(), name);
    for (const std::string& name : orphans.blobs) files.discard(blobs(), name);
  }
  removed.deleted.push_back(image);
  if (unlink == Unlink::now) tidy_up();
  files.finish();
  return removed;
}

}  // namespace lade::store
