// The store that the command line means.
#pragma once

#include "cli/verbs.hpp"
#include "store/store.hpp"

#include <string>

namespace lade::cli {

/// Opens (and makes, if need be) the store of `--root`, LADE_ROOT or the default place.
store::Store open_store(const App& app);

/// Its path. Throws UsageError if that is the user's home directory.
std::string store_path(const App& app);

}  // namespace lade::cli
