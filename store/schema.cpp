#include "store/schema.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <array>
#include <string>

namespace lade::store {

namespace {

// Version 1. Digests are stored as `sha256:HEX`, references as they normalise.
//
//   images        one row an image, by the digest of its config
//   tags          `repository:tag` -> image
//   image_digests `repository@digest` -> image, of the manifest and of the index it was pulled by
//   blobs         what is in blobs/sha256
//   image_blobs   which blobs an image needs, in no order
//   layers        what is in layers/, by directory name
//   chains        stacks of layers: a layer on top of a parent chain
constexpr const char* k_version_1 = R"sql(
CREATE TABLE blobs (
  digest TEXT PRIMARY KEY,
  media_type TEXT NOT NULL,
  size INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE layers (
  key TEXT PRIMARY KEY,
  diff_id TEXT NOT NULL,
  self_contained INTEGER NOT NULL,
  root_entry INTEGER NOT NULL,
  root_opaque INTEGER NOT NULL,
  tar_size INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE chains (
  id TEXT PRIMARY KEY,
  parent TEXT REFERENCES chains (id),
  layer TEXT NOT NULL REFERENCES layers (key)
) STRICT, WITHOUT ROWID;
CREATE INDEX chains_parent ON chains (parent);
CREATE INDEX chains_layer ON chains (layer);

CREATE TABLE images (
  id TEXT PRIMARY KEY,
  chain TEXT REFERENCES chains (id),
  manifest TEXT NOT NULL,
  manifest_type TEXT NOT NULL,
  manifest_size INTEGER NOT NULL,
  created_seconds INTEGER,
  created_nanoseconds INTEGER,
  size INTEGER NOT NULL,
  os TEXT NOT NULL,
  architecture TEXT NOT NULL,
  variant TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX images_chain ON images (chain);

CREATE TABLE image_blobs (
  image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  blob TEXT NOT NULL REFERENCES blobs (digest),
  PRIMARY KEY (image, blob)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_blobs_blob ON image_blobs (blob);

CREATE TABLE tags (
  name TEXT PRIMARY KEY,
  image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX tags_image ON tags (image);

CREATE TABLE image_digests (
  name TEXT PRIMARY KEY,
  image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX image_digests_image ON image_digests (image);
)sql";

// Version 2:
//
//   leases        who holds something: a process of some boot
//   lease_items   what is held, `blob sha256:HEX` or `layer KEY`, whether or not it is in a table
constexpr const char* k_version_2 = R"sql(
CREATE TABLE leases (
  id INTEGER PRIMARY KEY,
  pid INTEGER NOT NULL,
  start_time INTEGER NOT NULL,
  boot TEXT NOT NULL
) STRICT;

CREATE TABLE lease_items (
  name TEXT NOT NULL,
  lease INTEGER NOT NULL REFERENCES leases (id) ON DELETE CASCADE,
  PRIMARY KEY (name, lease)
) STRICT, WITHOUT ROWID;
CREATE INDEX lease_items_lease ON lease_items (lease);
)sql";

// Version 3:
//
//   blobs.diff_id        what a layer's blob unpacks to, once that was seen
//   image_digests.asked  whether somebody pulled by that digest, which makes it a name; of an image
//                        without a tag it is not known, and nothing is to be lost
constexpr const char* k_version_3 = R"sql(
ALTER TABLE blobs ADD COLUMN diff_id TEXT;
ALTER TABLE image_digests ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
UPDATE image_digests SET asked = 1 WHERE image NOT IN (SELECT image FROM tags);
)sql";

/// k_migrations[n] turns version n into version n + 1.
constexpr std::array<const char*, k_schema_version> k_migrations = {k_version_1, k_version_2,
                                                                    k_version_3};

}  // namespace

bool has_current_schema(Database& database) {
  return database.user_version() == k_schema_version;
}

void ensure_schema(Database& database) {
  const std::int64_t found = database.user_version();
  if (found == k_schema_version) return;
  if (found == 0) database.execute("PRAGMA journal_mode = WAL");

  WriteTransaction transaction(database);
  // Read again: another process may have migrated while this one waited.
  const std::int64_t version = database.user_version();
  if (version > k_schema_version || version < 0) {
    throw InvalidData(
        str("the store's schema is version ", version, ", this build knows ", k_schema_version));
  }
  for (std::int64_t next = version; next < k_schema_version; ++next) {
    database.execute(k_migrations[static_cast<std::size_t>(next)]);
  }
  database.execute(str("PRAGMA user_version = ", k_schema_version));
  transaction.commit();
}

}  // namespace lade::store
