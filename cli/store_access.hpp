// The store that the command line means.
#pragma once

#include "cli/verbs.hpp"
#include "store/store.hpp"

namespace lade::cli {

/// Opens (and makes, if need be) the store of `--root`, LADE_ROOT or the default place.
store::Store open_store(const App& app);

}  // namespace lade::cli
