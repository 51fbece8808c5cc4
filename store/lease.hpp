// What a running pull relies on: blobs and layers that nobody may remove while it lives.
#pragma once

#include "base/concurrency.hpp"
#include "base/process_identity.hpp"
#include "oci/descriptor.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lade::store {

class Database;

/// Holds blobs and layers for this process. What is held stays in its place although no image needs
/// it (any more); removals and gc leave it to a later gc. Ends with end(), with the object, or with
/// the process however that dies. THREADS: hold_blob() and hold_layer() may be called from several
/// at once.
class Lease {
 public:
  /// Nothing is written before something is held.
  explicit Lease(const Store& store);
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease();

  /// Lets go of everything.
  void end();

  /// Holds a blob, also one that is still to come; whether it is there.
  bool hold_blob(const Descriptor& descriptor);
  /// The same for the layer of that key.
  bool hold_layer(const std::string& key);

 private:
  void hold(const std::string& item);

  const Store& store_;
  Sync<std::optional<std::int64_t>> id_;
};

/// The names under which leases hold things.
std::string lease_item_of_blob(const Digest& digest);
std::string lease_item_of_layer(std::string_view key);

/// Whose a lease is.
struct LeaseRow {
  std::int64_t id = 0;
  ProcessIdentity process;
};

/// The leases of processes that are dead.
std::vector<LeaseRow> find_dead_leases(Database& database);

/// Ends leases, those that are still these processes'.
void end_leases(Database& database, const std::vector<LeaseRow>& leases);

/// Ends the leases of processes that are dead. Its transaction is its own: whether processes live
/// is asked outside of it.
void end_dead_leases(Database& database);

}  // namespace lade::store
