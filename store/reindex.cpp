#include "store/reindex.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "store/container_record.hpp"
#include "store/index_names.hpp"
#include "store/state.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>

namespace lade::store {

namespace {

constexpr const char* k_new_index = "index.db.new";
constexpr const char* k_suffixes[] = {"-wal", "-shm"};

/// What is known of names before anything is rebuilt.
struct KnownNames {
  NameHistory history;
  NameSource source = NameSource::none;
};

bool has_images(Database& database) {
  Statement row(database, "SELECT 1 FROM images LIMIT 1");
  return row.step();
}

/// The schema of an index; none if it cannot be read.
std::int64_t version_of(Database& database) {
  try {
    return database.user_version();
  } catch (const Error&) {
    return 0;
  }
}

/// The old index, if it is a database at all. A newer one has things that this build would throw
/// away.
std::optional<Database> open_old_index(const Directory& root) {
  const auto st = root.find_stat(k_index);
  if (!st || !S_ISREG(st->st_mode)) return std::nullopt;
  std::optional<Database> old;
  try {
    old.emplace(Database::open(root.path_of(k_index)));
  } catch (const Error&) {
    return std::nullopt;  // whatever is wrong with it, it goes
  }
  const std::int64_t version = version_of(*old);
  if (version <= k_schema_version) return old;
  InvalidData error(str("the index of store ", quoted(root.path()), " is of schema ", version,
                        ", this build knows ", k_schema_version));
  error.set_hint(str("use the lade that made it, or remove ", quoted(root.path_of(k_index))));
  throw error;
}

/// The names of the old index if it can be read to its end and has images, else those of the
/// journal with what could be read.
KnownNames collect_names(const Directory& root) {
  KnownNames known{.history = read_name_journal(root)};
  NameTable found;
  bool is_whole = false;
  if (auto old = open_old_index(root)) {
    try {
      read_names(*old, found);
      is_whole = has_images(*old);
    } catch (const Error&) {
      // What was read until then counts.
    }
  }
  if (is_whole) {
    known.history.names = std::move(found);
    known.source = NameSource::index;
    return known;
  }
  for (const auto& [name, image] : found) known.history.names.insert_or_assign(name, image);
  if (!known.history.names.empty()) known.source = NameSource::journal;
  return known;
}

/// Gives each image its names. Of several manifests of one image the last, which was written last,
/// is the one that is shown.
std::vector<NewImage> named_images(FoundImages& found, const KnownNames& known) {
  std::reverse(found.images.begin(), found.images.end());
  std::erase_if(found.images,
                [&](const NewImage& image) { return known.history.forgotten.contains(image.id); });
  std::map<Digest, std::pair<std::vector<Reference>, std::vector<Reference>>> names;
  for (const auto& [name, image] : known.history.names) {
    (name.digest() ? names[image].second : names[image].first).push_back(name);
  }
  for (NewImage& image : found.images) {
    image.names = names[image.id].first;
    image.digests = names[image.id].second;
    // Which of them were asked for is not known: none of an image that has nothing else is taken
    // for a leftover.
    if (image.names.empty()) image.asked = image.digests;
  }
  return std::move(found.images);
}

void remove_new_index(const Directory& root) {
  root.remove_tree(k_new_index);
  for (const char* suffix : k_suffixes) root.remove_tree(str(k_new_index, suffix));
}

/// Makes the new index beside the old one.
void fill(Store& store, const std::vector<NewImage>& images, const std::stop_token& stop) {
  {
    auto database = store.state().database.lock();
    ensure_schema(*database);
    // Nobody reads it before it is synced as a whole.
    database->execute("PRAGMA synchronous = OFF");
  }
  for (const NewImage& image : images) {
    if (stop.stop_requested()) throw Cancelled();
    store.commit_image(image);
  }
  store.state().database.lock()->execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

/// Puts the new index into the place of the old one, which goes first: were it left without its
/// log, it would be taken for whole. Who comes between finds none, and is told to do this again.
void exchange(const Directory& root) {
  const Fd file = root.open_file(k_new_index, O_RDONLY);
  check_syscall(::fsync(file.get()), [&] { return str("fsync ", quoted(k_new_index)); });
  root.remove_tree(k_index);
  for (const char* suffix : k_suffixes) {
    root.remove_tree(str(k_index, suffix));
    root.remove_tree(str(k_new_index, suffix));
  }
  root.sync();
  root.rename(k_new_index, root, k_index);
  root.sync();
}

void describe_rest(const Store& store, const KnownNames& known, ReindexReport& report) {
  const auto images = store.list_images();
  const auto is_there = [&](const Digest& image) {
    return std::any_of(images.begin(), images.end(),
                       [&](const StoredImage& each) { return each.id == image; });
  };
  report.images = images.size();
  for (const StoredImage& image : images) report.names += image.names.size();
  const Contents contents = store.contents();
  report.blobs = contents.blobs.size();
  report.layers = contents.layers.size();
  for (const auto& [name, image] : known.history.names) {
    if (!name.digest() && !is_there(image)) report.lost_names.push_back(name);
  }
  for (const std::string& id : store.containers().list()) {
    const auto st = store.containers().find_stat(id);
    if (!st || !S_ISDIR(st->st_mode)) continue;
    const auto record = find_container_record(store.containers().child(id), id);
    if (record && !is_there(record->image)) report.stranded_containers.push_back(id);
  }
}

ReindexReport rebuild(const Directory& root, const IndexUse& use, const std::stop_token& stop) {
  const KnownNames known = collect_names(root);
  ReindexReport report{.source = known.source};
  {
    Store store(std::make_unique<Store::State>(
        Directory(duplicate(root.handle()), root.path()), use.again(),
        Database::open(root.path_of(k_new_index), Durability::disk), OpenOptions{}));
    FoundImages found = find_images(store.blobs(), store.layers(), stop);
    report.incomplete = found.incomplete;
    fill(store, named_images(found, known), stop);
    describe_rest(store, known, report);
    NameTable names;
    read_names(*store.state().database.lock(), names);
    rewrite_name_journal(root, names);
  }
  exchange(root);
  return report;
}

}  // namespace

ReindexReport reindex(const std::string& path, const std::stop_token& stop) {
  Directory::open(path);  // nothing is made where there is nothing
  const Directory root = open_root(path);
  const IndexUse use = IndexUse::alone(root);
  const CommitLock lock(root);
  remove_new_index(root);
  try {
    return rebuild(root, use, stop);
  } catch (...) {
    try {
      remove_new_index(root);
    } catch (const Error&) {
      // The next reindex does.
    }
    throw;
  }
}

}  // namespace lade::store
