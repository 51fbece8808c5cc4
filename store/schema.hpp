// The tables of index.db, and how older ones become them.
#pragma once

#include "store/database.hpp"

#include <cstdint>

namespace lade::store {

/// The index's file in ROOT.
inline constexpr const char* k_index = "index.db";

/// The schema that this build reads and writes (`PRAGMA user_version`).
inline constexpr std::int64_t k_schema_version = 3;

/// Whether nothing needs to be done.
bool has_current_schema(Database& database);

/// Brings the schema up to date in one transaction. Throws InvalidData if it is newer than this
/// build. REQUIRES: no other process does the same at the same time (CommitLock).
void ensure_schema(Database& database);

}  // namespace lade::store
