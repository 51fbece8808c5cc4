// The names that the index knows, and their way into the journal.
#pragma once

#include "store/database.hpp"
#include "store/name_journal.hpp"

namespace lade::store {

/// Adds the tags and the `repository@digest` names of the index to `names`. What makes no sense is
/// left out; throws when the index cannot be read (any further).
void read_names(Database& database, NameTable& names);

/// Writes changes into the journal, which is made anew where there is none. That it cannot be
/// written is no error. REQUIRES: the changes are committed, the CommitLock is held.
void record_names(const Directory& root, Database& database, const NameChanges& changes);

}  // namespace lade::store
