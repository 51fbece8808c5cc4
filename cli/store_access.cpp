#include "cli/store_access.hpp"

namespace lade::cli {

store::Store open_store(const App& app) {
  return store::Store::open(app.global.root.value_or(app.environment.store_root),
                            {.sync = app.global.sync});
}

}  // namespace lade::cli
