// Directories of staging/ that several processes want filled with the same: one does it, the others
// wait and then use it together with that one.
#pragma once

#include "base/directory.hpp"
#include "store/locked.hpp"
#include "store/store.hpp"

#include <functional>
#include <stop_token>
#include <string>

namespace lade::store {

/// What everybody calls the directory in which the layer's blob `blob` is unpacked. Of another boot
/// it would have another name: what a power cut left of it is not to be used.
std::string shared_staging_name(const Digest& blob);

/// staging/NAME, held. While it is filled, its maker holds the flock of it alone. Whoever uses it
/// holds the flock of NAME/tree together with the others; that is taken, and given up, only by who
/// has the first one for a moment.
struct StagingHold {
  enum class Found { made, whole };

  Directory directory;
  Directory tree;
  Found found = Found::made;  ///< made: it is empty, and this process is to fill it
};

/// Takes hold of the directory, or makes it; waits while another one fills it, and then says so
/// once with `on_wait`. What died half-way is removed. Throws Cancelled.
StagingHold hold_staging(const Store& store, const std::string& name, const std::stop_token& stop,
                         const std::function<void()>& on_wait);

/// It is filled: others may use it too. REQUIRES: its layer's description is there.
void offer_staging(const StagingHold& hold);

/// Whether nobody else holds it; then nobody will before `hold` ends, and it may be removed. Else
/// this process does not hold it any more.
bool end_staging(const Store& store, const std::string& name, const StagingHold& hold);

/// Throws away the directories, shared or not, of which no living process holds a lock.
void sweep_staging(const Store& store);

}  // namespace lade::store
