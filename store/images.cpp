// Images, names and layers in the index: the queries, and the transactions that change them.
#include "base/error.hpp"
#include "base/text.hpp"
#include "store/blob_writer.hpp"
#include "store/index_names.hpp"
#include "store/layer_description.hpp"
#include "store/state.hpp"

#include <algorithm>

namespace lade::store {

namespace {

constexpr std::size_t k_shortest_prefix = 3;
constexpr std::size_t k_id_digits = 64;
constexpr std::int64_t k_most_layers = 4096;  // overlay takes 500

constexpr const char* k_image_columns =
    "SELECT id, manifest, manifest_type, manifest_size, created_seconds, created_nanoseconds, size,"
    " os, architecture, variant FROM images ";

StoredImage read_row(const Statement& row) {
  StoredImage image{
      .id = Digest::parse(row.text(0)),
      .manifest = {row.text(2),
                   Digest::parse(row.text(1)),
                   static_cast<std::uint64_t>(row.number(3)),
                   {},
                   {},
                   {},
                   {}},
      .names = {},
      .digests = {},
      .asked = {},
      .created = {},
      .size = static_cast<std::uint64_t>(row.number(6)),
      .platform = {row.text(7), row.text(8), row.text(9), {}},
  };
  if (!row.is_null(4)) {
    image.created = Timestamp{row.number(4), static_cast<std::int32_t>(row.number(5))};
  }
  return image;
}

std::vector<Reference> read_names(Database& database, const char* sql, const Digest& image) {
  std::vector<Reference> names;
  Statement rows(database, sql);
  rows.bind(image.text());
  while (rows.step()) names.push_back(Reference::parse(rows.text(0)));
  return names;
}

constexpr const char* k_tags_of = "SELECT name FROM tags WHERE image = ? ORDER BY name";
constexpr const char* k_digests_of = "SELECT name FROM image_digests WHERE image = ? ORDER BY name";
constexpr const char* k_asked_of =
    "SELECT name FROM image_digests WHERE image = ? AND asked ORDER BY name";

StoredImage with_names(Database& database, StoredImage image) {
  image.names = read_names(database, k_tags_of, image.id);
  image.digests = read_names(database, k_digests_of, image.id);
  image.asked = read_names(database, k_asked_of, image.id);
  return image;
}

/// Gives every image its names, in one pass: both are sorted by image. `add` takes an image, a name
/// and the row.
template <class Add>
void add_names(Database& database, const char* sql, std::vector<StoredImage>& images,
               const Add& add) {
  Statement rows(database, sql);
  auto image = images.begin();
  std::string id = image == images.end() ? std::string() : image->id.text();
  while (rows.step()) {
    const std::string owner = rows.text(0);
    while (image != images.end() && id < owner) {
      ++image;
      if (image != images.end()) id = image->id.text();
    }
    if (image == images.end()) return;
    if (id == owner) add(*image, Reference::parse(rows.text(1)), rows);
  }
}

/// Those of one moment stay in their order. An image is large: each is moved once.
std::vector<StoredImage> newest_first(std::vector<StoredImage> images) {
  std::vector<StoredImage*> order;
  order.reserve(images.size());
  for (StoredImage& image : images) order.push_back(&image);
  std::stable_sort(order.begin(), order.end(), [](const StoredImage* a, const StoredImage* b) {
    return a->created > b->created;
  });
  std::vector<StoredImage> sorted;
  sorted.reserve(images.size());
  for (StoredImage* image : order) sorted.push_back(std::move(*image));
  return sorted;
}

std::optional<StoredImage> find_by_id(Database& database, std::string_view id) {
  Statement rows(database, str(k_image_columns, "WHERE id = ?"));
  rows.bind(id);
  if (!rows.step()) return std::nullopt;
  return with_names(database, read_row(rows));
}

/// The id that a tag, or a `repository@digest`, means.
std::optional<std::string> find_by_name(Database& database, const Reference& name) {
  // A reference with both means its digest: the tag may have moved.
  const bool by_digest = name.digest().has_value();
  Statement rows(database, by_digest ? "SELECT image FROM image_digests WHERE name = ?"
                                     : "SELECT image FROM tags WHERE name = ?");
  rows.bind(by_digest ? name.with_digest(*name.digest()).text() : name.with_default_tag().text());
  if (!rows.step()) return std::nullopt;
  return rows.text(0);
}

std::optional<Reference> try_reference(const std::string& text) {
  try {
    return Reference::parse(text);
  } catch (const UsageError&) {
    return std::nullopt;
  }
}

/// `alpine` as podman tries it: as a name made here, then as Docker's.
std::optional<std::string> find_by_reference(Database& database, std::string_view text) {
  const auto plain = try_reference(std::string(text));
  if (plain) {
    if (auto id = find_by_name(database, *plain)) return id;
  }
  if (const auto local = try_reference(str("localhost/", text))) {
    if (auto id = find_by_name(database, *local)) return id;
  }
  return std::nullopt;
}

std::optional<std::string> find_by_prefix(Database& database, std::string_view text) {
  const bool marked = text.starts_with("sha256:");
  const std::string prefix(marked ? text.substr(7) : text);
  if (prefix.size() < k_shortest_prefix || prefix.size() > k_id_digits) return std::nullopt;
  if (prefix.find_first_not_of("0123456789abcdef") != std::string::npos) return std::nullopt;
  // The range instead of LIKE: it is answered by the primary key.
  Statement rows(database, "SELECT id FROM images WHERE id >= ? AND id < ? LIMIT 2");
  rows.bind(str("sha256:", prefix)).bind(str("sha256:", prefix, 'g'));
  if (!rows.step()) return std::nullopt;
  const std::string id = rows.text(0);
  if (rows.step()) throw InvalidData(str("image id ", quoted(text), " is not unique"));
  return id;
}

constexpr const char* k_layer_columns =
    "SELECT key, diff_id, self_contained, root_entry, root_opaque, tar_size ";

StoredLayer read_layer(const Statement& row) {
  return {checked_layer_key(row.text(0)),
          DiffId{Digest::parse(row.text(1))},
          row.number(2) != 0,
          row.number(3) != 0,
          row.number(4) != 0,
          static_cast<std::uint64_t>(row.number(5))};
}

std::optional<StoredLayer> find_layer_by_key(Database& database, const std::string& key) {
  Statement rows(database, str(k_layer_columns, "FROM layers WHERE key = ?"));
  rows.bind(key);
  if (!rows.step()) return std::nullopt;
  return read_layer(rows);
}

// --- committing an image -------------------------------------------------------------------------

void insert_blobs(Database& database, const Store& store, const NewImage& image) {
  Statement blob(database,
                 "INSERT INTO blobs (digest, media_type, size, diff_id) VALUES (?, ?, ?, ?)"
                 " ON CONFLICT (digest) DO UPDATE SET"
                 " diff_id = coalesce(excluded.diff_id, blobs.diff_id)");
  Statement use(database,
                "INSERT INTO image_blobs (image, blob) VALUES (?, ?) ON CONFLICT DO NOTHING");
  for (const Descriptor& descriptor : image.blobs) {
    if (!has_blob(store, descriptor)) {
      throw Busy(str("blob ", quoted(descriptor.digest.text()),
                     " was removed by another process meanwhile"));
    }
    std::optional<std::string> diff_id;
    if (const auto seen = image.diff_ids.find(descriptor.digest); seen != image.diff_ids.end()) {
      diff_id = seen->second.digest.text();
    }
    blob.bind(descriptor.digest.text())
        .bind(descriptor.media_type)
        .bind(static_cast<std::int64_t>(descriptor.size))
        .bind(diff_id)
        .run();
    use.bind(image.id.text()).bind(descriptor.digest.text()).run();
  }
}

/// The chain that the layers make, which is inserted link by link; nothing without layers.
std::optional<std::string> insert_chain(Database& database, const Store& store,
                                        const NewImage& image) {
  Statement insert_layer(
      database,
      "INSERT INTO layers (key, diff_id, self_contained, root_entry, root_opaque, tar_size)"
      " VALUES (?, ?, ?, ?, ?, ?)"
      " ON CONFLICT (key) DO NOTHING");
  Statement insert_link(database,
                        "INSERT INTO chains (id, parent, layer) VALUES (?, ?, ?)"
                        " ON CONFLICT (id) DO NOTHING");
  std::optional<ChainId> top;
  for (const StoredLayer& layer : image.layers) {
    if (!store.layers().exists(layer.key)) {
      throw Busy(str("layer ", quoted(layer.diff_id.digest.text()),
                     " was removed by another process meanwhile"));
    }
    insert_layer.bind(layer.key)
        .bind(layer.diff_id.digest.text())
        .bind(std::int64_t{layer.self_contained})
        .bind(std::int64_t{layer.root_entry})
        .bind(std::int64_t{layer.root_opaque})
        .bind(static_cast<std::int64_t>(layer.tar_size))
        .run();
    const ChainId next = top ? chain_id(*top, layer.diff_id) : chain_id(layer.diff_id);
    std::optional<std::string> parent;
    if (top) parent = top->digest.text();
    insert_link.bind(next.digest.text()).bind(parent).bind(layer.key).run();
    top = next;
  }
  if (!top) return std::nullopt;
  return top->digest.text();
}

void insert_image(Database& database, const NewImage& image,
                  const std::optional<std::string>& chain) {
  std::optional<std::int64_t> seconds;
  std::optional<std::int64_t> nanoseconds;
  if (image.created) {
    seconds = image.created->seconds;
    nanoseconds = image.created->nanoseconds;
  }
  // An image that is here already keeps its row: it may have come by another manifest, whose blobs
  // stay too. The latest manifest is the one that is shown.
  Statement(database,
            "INSERT INTO images (id, chain, manifest, manifest_type, manifest_size,"
            " created_seconds, created_nanoseconds, size, os, architecture, variant)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET manifest = excluded.manifest,"
            " manifest_type = excluded.manifest_type, manifest_size = excluded.manifest_size,"
            " size = excluded.size")
      .bind(image.id.text())
      .bind(chain)
      .bind(image.manifest.digest.text())
      .bind(image.manifest.media_type)
      .bind(static_cast<std::int64_t>(image.manifest.size))
      .bind(seconds)
      .bind(nanoseconds)
      .bind(static_cast<std::int64_t>(image.size))
      .bind(image.platform.os)
      .bind(image.platform.architecture)
      .bind(image.platform.variant)
      .run();
}

void upsert_name(Database& database, const char* sql, const Reference& name, const Digest& image) {
  Statement(database, sql).bind(name.text()).bind(image.text()).run();
}

/// Whether there was that name. A digest stays known: it is no name any more.
bool delete_name(Database& database, const Reference& name) {
  if (name.digest()) {
    Statement(database, "UPDATE image_digests SET asked = 0 WHERE name = ? AND asked")
        .bind(name.with_digest(*name.digest()).text())
        .run();
    return database.changes() > 0;
  }
  Statement(database, "DELETE FROM tags WHERE name = ?").bind(name.with_default_tag().text()).run();
  return database.changes() > 0;
}

constexpr const char* k_set_tag =
    "INSERT INTO tags (name, image) VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET image = excluded.image";
constexpr const char* k_set_digest =
    "INSERT INTO image_digests (name, image) VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET image = excluded.image";

/// From now on that digest is a name of the image; it was inserted before.
void set_asked(Database& database, const Reference& name) {
  Statement(database, "UPDATE image_digests SET asked = 1 WHERE name = ?").bind(name.text()).run();
}

/// A tag that is gone; a digest is found as before.
void forget_tag(NameChanges& changes, const Reference& name) {
  if (!name.digest()) changes.drop(name.with_default_tag());
}

}  // namespace

std::optional<StoredImage> Store::find_image(std::string_view text) const {
  auto database = state_->database.lock();
  const ReadTransaction transaction(*database);
  // What can be nothing but an id is not to be shadowed by a name; else names come first.
  const bool is_id = text.starts_with("sha256:") || text.size() == k_id_digits;
  auto id = is_id ? find_by_prefix(*database, text) : std::nullopt;
  if (!id) id = find_by_reference(*database, text);
  if (!id && !is_id) id = find_by_prefix(*database, text);
  if (!id) return std::nullopt;
  return find_by_id(*database, *id);
}

StoredImage Store::get_image(std::string_view text) const {
  if (auto image = find_image(text)) return std::move(*image);
  throw NotFound(str("image ", quoted(text), " is not in the store"));
}

std::vector<StoredImage> Store::list_images() const {
  std::vector<StoredImage> images;
  {
    auto database = state_->database.lock();
    const ReadTransaction transaction(*database);
    Statement rows(*database, str(k_image_columns, "ORDER BY id"));
    while (rows.step()) images.push_back(read_row(rows));
    add_names(*database, "SELECT image, name FROM tags ORDER BY image, name", images,
              [](StoredImage& image, Reference name, const Statement&) {
                image.names.push_back(std::move(name));
              });
    add_names(*database, "SELECT image, name, asked FROM image_digests ORDER BY image, name",
              images, [](StoredImage& image, Reference name, const Statement& row) {
                if (row.number(2) != 0) image.asked.push_back(name);
                image.digests.push_back(std::move(name));
              });
  }
  return newest_first(std::move(images));
}

std::vector<StoredLayer> Store::layers_of(const Digest& image) const {
  auto database = state_->database.lock();
  const ReadTransaction transaction(*database);
  Statement rows(*database,
                 "WITH RECURSIVE link (id, parent, layer, depth) AS ("
                 " SELECT chains.id, chains.parent, chains.layer, 0 FROM chains"
                 " JOIN images ON images.chain = chains.id WHERE images.id = ?"
                 " UNION ALL SELECT chains.id, chains.parent, chains.layer, depth + 1"
                 " FROM chains JOIN link ON chains.id = link.parent WHERE depth < ?)"
                 " SELECT key, diff_id, self_contained, root_entry, root_opaque, tar_size"
                 " FROM link JOIN layers ON layers.key = link.layer ORDER BY depth DESC");
  rows.bind(image.text()).bind(k_most_layers);
  std::vector<StoredLayer> layers;
  while (rows.step()) layers.push_back(read_layer(rows));
  if (layers.size() > static_cast<std::size_t>(k_most_layers)) {
    throw_damaged(str("the layers of image ", quoted(image.text()), " have no end"));
  }
  return layers;
}

std::optional<StoredLayer> Store::find_layer(const DiffId& diff_id) const {
  auto database = state_->database.lock();
  auto layer = find_layer_by_key(*database, diff_id.digest.hex());
  if (!layer || !layer->self_contained || !layers().exists(layer->key)) return std::nullopt;
  return layer;
}

std::optional<StoredLayer> Store::find_layer(const ChainId& chain) const {
  auto database = state_->database.lock();
  Statement rows(*database, "SELECT layer FROM chains WHERE id = ?");
  rows.bind(chain.digest.text());
  if (!rows.step()) return std::nullopt;
  auto layer = find_layer_by_key(*database, rows.text(0));
  if (!layer || !layers().exists(layer->key)) return std::nullopt;
  return layer;
}

std::optional<DiffId> Store::find_diff_id(const Digest& blob) const {
  auto database = state_->database.lock();
  Statement rows(*database, "SELECT diff_id FROM blobs WHERE digest = ?");
  rows.bind(blob.text());
  if (!rows.step() || rows.is_null(0)) return std::nullopt;
  return DiffId{Digest::parse(rows.text(0))};
}

void Store::tag(const Digest& image, const Reference& name) {
  tag(image, std::vector<Reference>{name});
}

void Store::tag(const Digest& image, const std::vector<Reference>& names) {
  const CommitLock lock(root());
  auto database = state_->database.lock();
  WriteTransaction transaction(*database);
  if (!find_by_id(*database, image.text())) {
    throw NotFound(str("image ", quoted(image.text()), " is not in the store"));
  }
  for (const Reference& name : names) {
    upsert_name(*database, k_set_tag, name.with_default_tag(), image);
  }
  transaction.commit();
  NameChanges changes;
  for (const Reference& name : names) changes.set(name.with_default_tag(), image);
  record_names(root(), *database, changes);
}

bool Store::untag(const Reference& name) {
  const CommitLock lock(root());
  auto database = state_->database.lock();
  WriteTransaction transaction(*database);
  const bool found = delete_name(*database, name);
  transaction.commit();
  NameChanges changes;
  forget_tag(changes, name);
  if (found) record_names(root(), *database, changes);
  return found;
}

void Store::untag(const std::vector<Reference>& names) {
  const CommitLock lock(root());
  auto database = state_->database.lock();
  WriteTransaction transaction(*database);
  NameChanges changes;
  for (const Reference& name : names) {
    if (delete_name(*database, name)) forget_tag(changes, name);
  }
  transaction.commit();
  record_names(root(), *database, changes);
}

void Store::commit_image(const NewImage& image) {
  auto database = state_->database.lock();
  WriteTransaction transaction(*database);
  const auto chain = insert_chain(*database, *this, image);
  insert_image(*database, image, chain);
  insert_blobs(*database, *this, image);
  NameChanges changes;
  changes.keep(image.id);
  for (const Reference& name : image.digests) {
    upsert_name(*database, k_set_digest, name, image.id);
    changes.set(name, image.id);
  }
  for (const Reference& name : image.asked) set_asked(*database, name);
  for (const Reference& name : image.names) {
    upsert_name(*database, k_set_tag, name, image.id);
    changes.set(name, image.id);
  }
  transaction.commit();
  record_names(root(), *database, changes);
}

}  // namespace lade::store
