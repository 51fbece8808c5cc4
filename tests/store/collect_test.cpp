// Leases, garbage collection and what they leave alone.
#include "base/error.hpp"
#include "base/process_identity.hpp"
#include "store/database.hpp"
#include "store/garbage.hpp"
#include "store/lease.hpp"
#include "tests/store/filled_store.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <optional>

namespace lade::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class CollectTest : public StoreTest {
 protected:
  static std::string key_of(const std::string& layer) { return Digest::of(layer).hex(); }

  /// Registers a lease of some process by hand.
  void lease_for(const ProcessIdentity& process, const std::string& item) {
    Database database = Database::open(root() + "/index.db");
    WriteTransaction transaction(database);
    Statement(database, "INSERT INTO leases (pid, start_time, boot) VALUES (?, ?, ?)")
        .bind(std::int64_t{process.pid})
        .bind(static_cast<std::int64_t>(process.start_time))
        .bind(process.boot)
        .run();
    Statement(database, "INSERT INTO lease_items (name, lease) VALUES (?, ?)")
        .bind(item)
        .bind(database.last_key())
        .run();
    transaction.commit();
  }
  std::int64_t count(const char* table) {
    Database database = Database::open(root() + "/index.db");
    Statement row(database, str("SELECT count(*) FROM ", table));
    row.step();
    return row.number(0);
  }
};

TEST(Garbage, IsWhatNoImageNeedsAndNobodyHolds) {
  const auto digest = [](const char* text) { return Digest::of(text).text(); };
  const Inventory inventory{
      .needed_blobs = {digest("needed")},
      .needed_layers = {"needed"},
      .held = {lease_item_of_blob(Digest::of("held")), lease_item_of_layer("held")},
      .blob_rows = {digest("needed"), digest("held"), digest("row")},
      .layer_rows = {"needed", "held", "row"},
      .blob_files = {digest("needed"), digest("held"), digest("file")},
      .layer_files = {"needed", "held", "file"}};
  const Garbage garbage = find_garbage(inventory);
  EXPECT_THAT(garbage.blob_rows, ElementsAre(digest("row")));
  EXPECT_THAT(garbage.layer_rows, ElementsAre("row"));
  EXPECT_THAT(garbage.blob_files, ElementsAre(digest("file")));
  EXPECT_THAT(garbage.layer_files, ElementsAre("file"));
}

TEST(ProcessIdentity, IsThatOfOneProcessOfOneBoot) {
  const ProcessIdentity here = this_process();
  EXPECT_TRUE(is_alive(here));
  ProcessIdentity other = here;
  other.start_time += 1;
  EXPECT_FALSE(is_alive(other)) << "the pid is another process's now";
  other = here;
  other.boot = "00000000-0000-0000-0000-000000000000";
  EXPECT_FALSE(is_alive(other)) << "of another boot";
}

TEST_F(CollectTest, WhatALeaseHoldsStaysWhenItsImageGoes) {
  Store store = Store::open(root());
  const NewImage image = StoreTest::image(store, "app", {"a"});
  commit(store, image);
  Lease lease(store);
  const Descriptor blob = image.blobs.back();
  EXPECT_TRUE(lease.hold_blob(blob));
  EXPECT_TRUE(lease.hold_layer(key_of("a")));
  store.remove_image(image.id);
  EXPECT_TRUE(has_blob(store, blob));
  EXPECT_TRUE(store.layers().exists(key_of("a")));
  EXPECT_FALSE(has_blob(store, image.manifest)) << "nobody holds that";
  EXPECT_TRUE(store.find_layer(image.layers[0].diff_id)) << "and it can be used";
  store.collect();
  EXPECT_TRUE(has_blob(store, blob));
  EXPECT_TRUE(store.layers().exists(key_of("a")));
}

TEST_F(CollectTest, WhatALeaseHeldGoesOnceItHasEnded) {
  Store store = Store::open(root());
  const NewImage image = StoreTest::image(store, "app", {"a"});
  commit(store, image);
  {
    Lease lease(store);
    lease.hold_blob(image.blobs.back());
    lease.hold_layer(key_of("a"));
    store.remove_image(image.id);
  }
  EXPECT_EQ(count("leases"), 0);
  const Collected collected = store.collect();
  EXPECT_THAT(collected.blobs, ElementsAre(image.blobs.back().digest));
  EXPECT_THAT(collected.layers, ElementsAre(key_of("a")));
  EXPECT_FALSE(has_blob(store, image.blobs.back()));
  EXPECT_EQ(count("blobs") + count("layers") + count("chains"), 0);
}

TEST_F(CollectTest, WhatIsGoneCannotBeHeld) {
  Store store = Store::open(root());
  const NewImage image = StoreTest::image(store, "app", {"a"});
  commit(store, image);
  store.remove_image(image.id);
  Lease lease(store);
  EXPECT_FALSE(lease.hold_blob(image.blobs.back()));
  EXPECT_FALSE(lease.hold_layer(key_of("a")));
}

// Two pulls have verified the same blob; one publishes it, and its image is removed again.
// What looks at files and rows together is not to see half of what another process does.
TEST_F(CollectTest, LeasesRemovalsAndCollectionsWaitForTheCommitLock) {
  Store store = Store::open(root());
  const NewImage image = StoreTest::image(store, "app", {"a"});
  commit(store, image);
  put(store, "a stray");
  const auto waits = [&](const auto& operation) {
    std::optional<CommitLock> lock(std::in_place, store.root());
    auto done = std::async(std::launch::async, [&] {
      Store opened = Store::open(root());
      operation(opened);
    });
    // However long it takes: it does not end before the lock does.
    const bool is_waiting =
        done.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready;
    lock.reset();
    done.get();
    return is_waiting;
  };
  EXPECT_TRUE(waits([&](Store& opened) { Lease(opened).hold_blob(image.blobs.front()); }));
  EXPECT_TRUE(waits([&](Store& opened) { Lease(opened).hold_layer(key_of("a")); }));
  EXPECT_TRUE(waits([&](Store& opened) { opened.tag(image.id, Reference::parse("b:1")); }));
  EXPECT_TRUE(waits([&](Store& opened) { opened.collect(); }));
  EXPECT_TRUE(waits([&](Store& opened) { opened.collect({.dry_run = true}); }));
  EXPECT_TRUE(waits([&](Store& opened) { opened.remove_image(image.id); }));
}

TEST_F(CollectTest, ABlobThatIsStillToComeIsHeldToo) {
  Store store = Store::open(root());
  Lease lease(store);
  const std::string config = "config app";
  EXPECT_FALSE(lease.hold_blob({"text/plain", Digest::of(config), config.size(), {}, {}, {}, {}}));
  const NewImage image = StoreTest::image(store, "app", {"a"});
  commit(store, image);
  store.remove_image(image.id);
  EXPECT_TRUE(store.blobs().exists(image.id.hex()));
}

TEST_F(CollectTest, TheLeaseOfADeadProcessEnds) {
  Store store = Store::open(root());
  const NewImage image = StoreTest::image(store, "app", {"a"});
  commit(store, image);
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      const Store opened = Store::open(root());
      Lease lease(opened);
      lease.hold_layer(key_of("a"));
      ::_exit(0);  // as SIGKILL would: no destructor runs
    } catch (const std::exception&) {
      ::_exit(1);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_EQ(status, 0);
  ASSERT_EQ(count("leases"), 1);
  store.remove_image(image.id);
  EXPECT_FALSE(store.layers().exists(key_of("a")));
  EXPECT_EQ(count("leases"), 0);
}

// Found by e2e.stress: two processes find the same dead lease, one ends it, and a third one gets
// its number before the other has ended it too.
TEST_F(CollectTest, ALeaseThatHasTheNumberOfADeadOneStays) {
  Store store = Store::open(root());
  const NewImage image = StoreTest::image(store, "app", {"a"});
  commit(store, image);
  ProcessIdentity dead = this_process();
  dead.start_time += 1;
  lease_for(dead, lease_item_of_layer(key_of("b")));
  Database other = Database::open(root() + "/index.db");
  const auto found = find_dead_leases(other);
  ASSERT_EQ(found.size(), 1U);
  Lease lease(store);
  lease.hold_layer(key_of("a"));  // ends the dead one, and takes its number
  ASSERT_EQ(count("leases"), 1);
  end_leases(other, found);
  EXPECT_EQ(count("leases"), 1);
  store.remove_image(image.id);
  EXPECT_TRUE(store.layers().exists(key_of("a")));
}

TEST_F(CollectTest, TheLeaseOfAnotherLivingProcessDoesNot) {
  Store store = Store::open(root());
  const NewImage image = StoreTest::image(store, "app", {"a"});
  commit(store, image);
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  ProcessIdentity other = this_process();
  const std::string stat = read_file(str("/proc/", child, "/stat"), 4096);
  const auto fields = split(stat.substr(stat.rfind(')') + 2), ' ');
  other.pid = child;
  other.start_time = *parse_number<std::uint64_t>(fields.at(19));
  lease_for(other, lease_item_of_layer(key_of("a")));
  store.remove_image(image.id);
  store.collect();
  EXPECT_TRUE(store.layers().exists(key_of("a")));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  store.collect();
  EXPECT_FALSE(store.layers().exists(key_of("a")));
}

TEST_F(CollectTest, FilesThatTheIndexDoesNotKnowGo) {
  Store store = Store::open(root());
  const NewImage image = StoreTest::image(store, "app", {"a"});
  commit(store, image);
  const Descriptor stray = put(store, "stray");
  const StoredLayer layer = StoreTest::layer(store, "stray");
  const Collected dry = store.collect({.dry_run = true});
  EXPECT_THAT(dry.blobs, ElementsAre(stray.digest));
  EXPECT_THAT(dry.layers, ElementsAre(layer.key));
  EXPECT_GT(dry.size, 0u);
  EXPECT_TRUE(has_blob(store, stray)) << "a dry run";
  EXPECT_EQ(store.collect().size, dry.size);
  EXPECT_FALSE(has_blob(store, stray));
  EXPECT_FALSE(store.layers().exists(layer.key));
  EXPECT_THAT(store.trash().list(), IsEmpty());
  for (const Descriptor& blob : image.blobs) EXPECT_TRUE(has_blob(store, blob));
  EXPECT_TRUE(store.layers().exists(key_of("a")));
}

TEST_F(CollectTest, PartialsGoWhenAskedForAndNotWhileTheyAreWritten) {
  Store store = Store::open(root());
  const std::string bytes = "some bytes";
  const Descriptor kept{"text/plain", Digest::of(bytes), bytes.size(), {}, {}, {}, {}};
  const Descriptor running{"text/plain", Digest::of("other bytes"), 11, {}, {}, {}, {}};
  auto writer = BlobWriter::claim(store, kept);
  writer->write(as_bytes("some"));
  writer->set_leave(Leave::bytes);
  writer.reset();
  const auto busy = BlobWriter::claim(store, running);
  busy->write(as_bytes("other"));
  EXPECT_THAT(store.collect().partials, IsEmpty());
  EXPECT_TRUE(store.ingest().exists(kept.digest.hex()));
  EXPECT_THAT(store.collect({.partials = true}).partials, ElementsAre(kept.digest.hex()));
  EXPECT_THAT(store.ingest().list(), ElementsAre(running.digest.hex()));
}

TEST_F(CollectTest, UsageTellsWhatImagesShare) {
  Store store = Store::open(root());
  const NewImage one = StoreTest::image(store, "one", {"base", "own"});
  const NewImage two = StoreTest::image(store, "two", {"base"});
  commit(store, one);
  commit(store, two);
  put(store, "stray");
  const Usage usage = store.usage();
  ASSERT_EQ(usage.images.size(), 2u);
  const auto& first = usage.images[0].id == one.id ? usage.images[0] : usage.images[1];
  const auto& second = usage.images[0].id == one.id ? usage.images[1] : usage.images[0];
  EXPECT_EQ(first.shared, second.shared);
  EXPECT_GT(first.unique, second.unique);
  EXPECT_GT(usage.reclaimable, 0u);
  EXPECT_EQ(first.shared + first.unique + second.unique + usage.reclaimable,
            usage.blobs + usage.layers);
}

/// Puts the index of an earlier version into a new store.
void use_fixture(const std::string& root, const char* name) {
  { const Store made = Store::open(root); }
  for (const char* file : {"index.db", "index.db-wal", "index.db-shm"}) {
    ::unlink(str(root, '/', file).c_str());
  }
  Database::open(root + "/index.db").execute(read_file(str(LADE_FIXTURES "/", name), 1 << 20));
}

TEST_F(CollectTest, AStoreOfSchema1BecomesOneOfToday) {
  use_fixture(root(), "schema-1.sql");
  const Store store = Store::open(root());
  const StoredImage image = store.get_image("registry.example/team/app:1");
  EXPECT_EQ(image.digests.size(), 2u);
  EXPECT_EQ(store.layers_of(image.id).size(), 1u);
  EXPECT_EQ(count("leases"), 0);
}

TEST_F(CollectTest, AStoreOfSchema2BecomesOneOfToday) {
  use_fixture(root(), "schema-2.sql");
  const Store store = Store::open(root());
  const StoredImage tagged = store.get_image("registry.example/team/app:1");
  EXPECT_EQ(tagged.digests.size(), 3u);
  EXPECT_THAT(tagged.asked, testing::IsEmpty());
  const auto layers = store.layers_of(tagged.id);
  ASSERT_EQ(layers.size(), 1u);
  for (const Digest& blob : store.blobs_of(tagged.id)) {
    EXPECT_FALSE(store.find_diff_id(blob)) << "nobody looked";
  }
  // It may have been pulled by its digest: that was not written down.
  bool is_found = false;
  for (const StoredImage& image : store.list_images()) {
    if (image.id == tagged.id) continue;
    is_found = true;
    EXPECT_THAT(image.names, testing::IsEmpty());
    EXPECT_EQ(image.asked, image.digests);
    EXPECT_EQ(image.asked.size(), 1u);
  }
  EXPECT_TRUE(is_found);
  EXPECT_EQ(count("leases"), 1);
}

}  // namespace
}  // namespace lade::store
