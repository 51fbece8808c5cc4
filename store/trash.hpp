// What was removed: out of everybody's sight by a rename, unlinked when there is time.
#pragma once

#include "base/directory.hpp"
#include "store/store.hpp"

namespace lade::store {

/// Unlinks what is in it. Only one process does that: another one waits for it, or leaves it alone.
void empty_trash(const Directory& trash, IfBusy if_busy);

}  // namespace lade::store
