#include "store/lease.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "store/blob_writer.hpp"
#include "store/state.hpp"

#include <vector>

namespace lade::store {

namespace {

std::int64_t insert_lease(Database& database, const ProcessIdentity& process) {
  Statement(database, "INSERT INTO leases (pid, start_time, boot) VALUES (?, ?, ?)")
      .bind(std::int64_t{process.pid})
      .bind(static_cast<std::int64_t>(process.start_time))
      .bind(process.boot)
      .run();
  return database.last_key();
}

}  // namespace

std::string lease_item_of_blob(const Digest& digest) {
  return "blob " + digest.text();
}

std::string lease_item_of_layer(std::string_view key) {
  return str("layer ", key);
}

Lease::Lease(const Store& store) : store_(store) {}

Lease::~Lease() {
  try {
    end();
  } catch (const Error&) {
    // It ends with this process all the same.
  }
}

void Lease::end() {
  auto id = id_.lock();
  if (!*id) return;
  auto database = store_.state().database.lock();
  WriteTransaction transaction(*database, Durability::process);
  Statement(*database, "DELETE FROM leases WHERE id = ?").bind(**id).run();
  transaction.commit();
  id->reset();
}

/// REQUIRES: the CommitLock is held, so that a removal is either over, with its files gone, or has
/// not begun.
void Lease::hold(const std::string& item) {
  auto id = id_.lock();
  auto database = store_.state().database.lock();
  if (!*id) end_dead_leases(*database);
  WriteTransaction transaction(*database, Durability::process);
  const std::int64_t lease = *id ? **id : insert_lease(*database, this_process());
  Statement(*database, "INSERT INTO lease_items (name, lease) VALUES (?, ?) ON CONFLICT DO NOTHING")
      .bind(item)
      .bind(lease)
      .run();
  transaction.commit();
  *id = lease;
}

bool Lease::hold_blob(const Descriptor& descriptor) {
  const CommitLock lock(store_.root());
  hold(lease_item_of_blob(descriptor.digest));
  return has_blob(store_, descriptor);
}

bool Lease::hold_layer(const std::string& key) {
  const CommitLock lock(store_.root());
  hold(lease_item_of_layer(key));
  return store_.layers().exists(key);
}

std::vector<LeaseRow> find_dead_leases(Database& database) {
  std::vector<LeaseRow> dead;
  Statement rows(database, "SELECT id, pid, start_time, boot FROM leases");
  while (rows.step()) {
    const ProcessIdentity process{static_cast<pid_t>(rows.number(1)),
                                  static_cast<std::uint64_t>(rows.number(2)), rows.text(3)};
    if (!is_alive(process)) dead.push_back({rows.number(0), process});
  }
  return dead;
}

void end_leases(Database& database, const std::vector<LeaseRow>& leases) {
  if (leases.empty()) return;
  WriteTransaction transaction(database, Durability::process);
  // By the process too: another one may have ended the lease meanwhile, and a third one may have
  // been given its number.
  Statement statement(
      database, "DELETE FROM leases WHERE id = ? AND pid = ? AND start_time = ? AND boot = ?");
  for (const LeaseRow& lease : leases) {
    statement.bind(lease.id)
        .bind(std::int64_t{lease.process.pid})
        .bind(static_cast<std::int64_t>(lease.process.start_time))
        .bind(lease.process.boot)
        .run();
  }
  transaction.commit();
}

void end_dead_leases(Database& database) {
  end_leases(database, find_dead_leases(database));
}

}  // namespace lade::store
