// What an open store holds. Not for other folders.
#pragma once

#include "base/concurrency.hpp"
#include "store/database.hpp"
#include "store/root.hpp"
#include "store/schema.hpp"
#include "store/store.hpp"

namespace lade::store {

struct Store::State {
  State(Directory opened_root, IndexUse index_use, Database opened_database,
        const OpenOptions& opened_with);

  OpenOptions options;
  Directory root;
  IndexUse use;
  Directory blobs;
  Directory ingest;
  Directory staging;
  Directory layers;
  Directory containers;
  Directory trash;
  Sync<Database> database;
};

}  // namespace lade::store
