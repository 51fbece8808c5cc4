// The tables of index.db, and how older ones become them.
#pragma once

#include "store/database.hpp"

#include <cstdint>

namespace lade::store {

/// The schema that this build reads and writes (`PRAGMA user_version`).
inline constexpr std::int64_t k_schema_version = 1;

/// Brings the schema up to date in one transaction. Throws InvalidData if it is newer than this
/// build.
void ensure_schema(Database& database);

}  // namespace lade::store
