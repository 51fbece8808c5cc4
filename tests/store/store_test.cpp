// Opening, finding, naming and removing, on stores filled by hand.
#include "store/store.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "store/blob_writer.hpp"
#include "store/database.hpp"
#include "store/locked.hpp"
#include "store/schema.hpp"
#include "tests/store/filled_store.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <future>
#include <thread>

namespace lade::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// The exit codes of processes that all open a store that is not there yet at the same moment.
std::vector<int> open_at_once(const std::string& root, std::size_t processes) {
  Pipe gate = make_pipe();
  std::vector<pid_t> children;
  for (std::size_t i = 0; i < processes; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      gate.write.reset();
      std::byte byte{};
      read_some(gate.read, std::span(&byte, 1), "gate");  // ends when the gate opens
      int code = 0;
      try {
        static_cast<void>(Store::open(root).list_images());
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        code = 1;
      }
      ::_exit(code);
    }
    children.push_back(child);
  }
  gate.write.reset();
  std::vector<int> codes;
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    codes.push_back(WEXITSTATUS(status));
  }
  return codes;
}

TEST_F(StoreTest, IsMadeByAnyNumberOfProcessesAtOnce) {
  for (int round = 0; round < 12; ++round) {
    EXPECT_THAT(open_at_once(root() + std::to_string(round), 8), testing::Each(0));
  }
}

TEST_F(StoreTest, IsMadeForItsOwnerOnlyWhateverTheUmask) {
  const mode_t before = ::umask(0);
  const Store store = Store::open(root());
  ::umask(before);
  EXPECT_EQ(scratch_->find_stat("store")->st_mode & 07777U, 0700U);
  EXPECT_THAT(store.root().list(),
              testing::IsSupersetOf({"blobs", "containers", "index.db", "ingest", "lade-store",
                                     "layers", "oci-layout", "staging", "trash"}));
  ::chmod(root().c_str(), 0755);
  Store::open(root());
  EXPECT_EQ(scratch_->find_stat("store")->st_mode & 07777U, 0700U);
}

TEST_F(StoreTest, ADirectoryWithOtherThingsInItIsRefusedAndLeftAlone) {
  scratch_->write_file("precious", "data", 0644);
  try {
    Store::open(scratch_.path());
    FAIL() << "accepted a foreign directory";
  } catch (const InvalidData& error) {
    EXPECT_THAT(error.what(), HasSubstr("is not a store of lade"));
  }
  EXPECT_THAT(scratch_->list(), ElementsAre("precious"));
}

TEST_F(StoreTest, ANewerLayoutOrSchemaIsRefused) {
  { const Store store = Store::open(root()); }
  {
    Database database = Database::open(root() + "/index.db");
    database.execute("PRAGMA user_version = 999");
  }
  try {
    Store::open(root());
    FAIL() << "accepted a newer schema";
  } catch (const InvalidData& error) {
    EXPECT_THAT(error.what(), HasSubstr("schema is version 999, this build knows"));
  }
  scratch_->child("store").write_file("lade-store", "lade store, layout 2\n", 0600);
  EXPECT_THROW(Store::open(root()), InvalidData);
}

TEST_F(StoreTest, WhatIsNoDatabaseIsSaidSo) {
  { const Store store = Store::open(root()); }
  const Directory directory = scratch_->child("store");
  directory.write_file("index.db", std::string(8192, 'x'), 0600);
  directory.remove_file("index.db-wal");
  EXPECT_THROW(Store::open(root()), InvalidData);
}

TEST_F(StoreTest, ImagesAreFoundByNameDigestAndId) {
  Store store = Store::open(root());
  const NewImage alpine = image(store, "alpine", {"l"});
  NewImage local = image(store, "localhost/mine", {});
  commit(store, alpine);
  commit(store, local);
  const std::string hex = alpine.id.hex();
  for (const std::string& text :
       {std::string("alpine"), std::string("alpine:latest"), std::string("library/alpine"),
        std::string("docker.io/library/alpine:latest"), "alpine@" + alpine.manifest.digest.text(),
        "alpine:other@" + alpine.manifest.digest.text(), hex, "sha256:" + hex, hex.substr(0, 12),
        "sha256:" + hex.substr(0, 3)}) {
    const auto found = store.find_image(text);
    ASSERT_TRUE(found) << text;
    EXPECT_EQ(found->id, alpine.id) << text;
  }
  EXPECT_EQ(store.get_image("mine").id, local.id);
  for (const std::string& text :
       {std::string("alpine:3"), hex.substr(0, 2), std::string("fff"), std::string(""),
        std::string("' OR 1=1 --"), std::string("%"), "sha512:" + hex}) {
    EXPECT_FALSE(store.find_image(text)) << text;
  }
  EXPECT_THROW(store.get_image("alpine:3"), NotFound);
}

TEST_F(StoreTest, ANameDoesNotShadowAnId) {  // CVE-2014-5282
  Store store = Store::open(root());
  const Digest good = commit(store, image(store, "good", {}));
  NewImage hostile = image(store, "hostile", {});
  hostile.names = {Reference::parse("docker.io/library/sha256:" + good.hex()),
                   Reference::parse("localhost/sha256:" + good.hex().substr(0, 12))};
  commit(store, hostile);
  EXPECT_EQ(store.get_image(good.text()).id, good);
  EXPECT_EQ(store.get_image("sha256:" + good.hex().substr(0, 12)).id, good);
  EXPECT_EQ(store.get_image(good.hex()).id, good);
}

TEST_F(StoreTest, APrefixThatFitsSeveralIsNotGuessedAt) {
  Store store = Store::open(root());
  std::map<std::string, int> prefixes;
  std::string twice;
  for (int i = 0; twice.empty() && i < 500; ++i) {
    const NewImage each = image(store, str("image", i), {});
    commit(store, each);
    if (++prefixes[each.id.hex().substr(0, 3)] == 2) twice = each.id.hex().substr(0, 3);
  }
  ASSERT_FALSE(twice.empty());
  EXPECT_THROW(store.find_image(twice), InvalidData);
}

TEST_F(StoreTest, TagsMoveAndGo) {
  Store store = Store::open(root());
  const Digest a = commit(store, image(store, "a", {}));
  const Digest b = commit(store, image(store, "b", {}));
  store.tag(a, Reference::parse("x:1"));
  EXPECT_EQ(store.get_image("x:1").id, a);
  store.tag(b, Reference::parse("x:1"));
  EXPECT_EQ(store.get_image("x:1").id, b);
  EXPECT_EQ(store.get_image(b.text()).names.size(), 2U);
  EXPECT_TRUE(store.untag(Reference::parse("x:1")));
  EXPECT_FALSE(store.untag(Reference::parse("x:1")));
  EXPECT_TRUE(store.find_image("b"));
  EXPECT_THROW(store.tag(Digest::of("nothing"), Reference::parse("y")), NotFound);
}

TEST_F(StoreTest, ADigestThatSomebodyAskedForIsANameUntilItIsTakenAway) {
  Store store = Store::open(root());
  NewImage app = image(store, "app", {});
  const Reference digest = app.digests.front();
  app.names.clear();
  commit(store, app);
  EXPECT_THAT(store.get_image(digest.text()).asked, IsEmpty());
  app.asked = app.digests;
  commit(store, app);
  EXPECT_THAT(store.get_image(digest.text()).asked, ElementsAre(digest));
  app.asked.clear();
  commit(store, app);  // pulled by a tag, which says nothing against it
  EXPECT_THAT(store.list_images().front().asked, ElementsAre(digest));
  EXPECT_TRUE(store.untag(digest));
  EXPECT_FALSE(store.untag(digest));
  EXPECT_THAT(store.get_image(digest.text()).asked, IsEmpty()) << "and it is still found by it";
}

TEST_F(StoreTest, WhatABlobUnpacksToIsRemembered) {
  Store store = Store::open(root());
  NewImage app = image(store, "app", {"a"});
  const Digest blob = app.blobs.back().digest;
  commit(store, app);
  EXPECT_FALSE(store.find_diff_id(blob));
  app.diff_ids.emplace(blob, DiffId{Digest::of("a")});
  commit(store, app);
  EXPECT_EQ(store.find_diff_id(blob), DiffId{Digest::of("a")});
  app.diff_ids.clear();
  commit(store, app);
  EXPECT_EQ(store.find_diff_id(blob), DiffId{Digest::of("a")});
  store.remove_image(app.id);
  EXPECT_FALSE(store.find_diff_id(blob));
}

TEST_F(StoreTest, RemovalKeepsWhatOthersNeed) {
  Store store = Store::open(root());
  const Digest a = commit(store, image(store, "a", {"base", "only a"}));
  const Digest b = commit(store, image(store, "b", {"base", "only b"}));
  const RemovedImage removed = store.remove_image(a);
  EXPECT_THAT(removed.untagged, ElementsAre(Reference::parse("a:latest")));
  EXPECT_THAT(removed.deleted, ElementsAre(a));
  EXPECT_FALSE(store.find_image("a"));
  EXPECT_TRUE(store.layers().exists(Digest::of("base").hex()));
  EXPECT_FALSE(store.layers().exists(Digest::of("only a").hex()));
  EXPECT_TRUE(store.blobs().exists(Digest::of("blob base").hex()));
  EXPECT_FALSE(store.blobs().exists(Digest::of("blob only a").hex()));
  EXPECT_EQ(store.layers_of(b).size(), 2U);
  EXPECT_EQ(store.layers_of(b)[0].diff_id.digest, Digest::of("base"));

  store.remove_image(b);
  EXPECT_THAT(store.layers().list(), IsEmpty());
  EXPECT_THAT(store.blobs().list(), IsEmpty());
  EXPECT_THAT(store.trash().list(), IsEmpty());
  EXPECT_THROW(store.remove_image(b), NotFound);
  Database database = Database::open(root() + "/index.db");
  for (const char* table :
       {"images", "tags", "image_digests", "blobs", "image_blobs", "layers", "chains"}) {
    Statement rows(database, str("SELECT count(*) FROM ", table));
    rows.step();
    EXPECT_EQ(rows.number(0), 0) << table;
  }
}

TEST_F(StoreTest, ARemovalOfTheNamelessSparesWhatWasNamedSince) {
  Store store = Store::open(root());
  const Digest id = commit(store, image(store, "app", {"a"}));
  EXPECT_THROW(store.remove_image(id, RemovePolicy::refuse_named), Busy);
  EXPECT_EQ(store.get_image("app").id, id);
  store.untag(Reference::parse("app").with_default_tag());
  store.remove_image(id, RemovePolicy::refuse_named);
  EXPECT_FALSE(store.find_image(id.text()));
}

TEST_F(StoreTest, AnImageWhoseFilesWentIsNotCommitted) {
  Store store = Store::open(root());
  const NewImage lost_blob = image(store, "a", {"l"});
  store.discard(store.blobs(), lost_blob.id.hex());
  EXPECT_THROW(commit(store, lost_blob), Busy);
  const NewImage lost_layer = image(store, "b", {"l"});
  store.discard(store.layers(), Digest::of("l").hex());
  EXPECT_THROW(commit(store, lost_layer), Busy);
  EXPECT_THAT(store.list_images(), IsEmpty());
}

TEST_F(StoreTest, ABlobThatChangedOnDiskIsRefused) {
  Store store = Store::open(root());
  const Descriptor blob = put(store, "bytes");
  store.blobs().remove_file(blob.digest.hex());
  store.blobs().write_file(blob.digest.hex(), "other", 0444);
  EXPECT_THROW(store.read_blob(blob.digest), Refused);
  EXPECT_THROW(store.read_blob(Digest::of("nothing")), NotFound);
}

Descriptor descriptor_of(const std::string& bytes) {
  return {"", Digest::of(bytes), bytes.size(), {}, {}, {}, {}};
}

TEST_F(StoreTest, BlobsAppearWholeOrNotAtAll) {
  Store store = Store::open(root());
  const Descriptor expected = descriptor_of("bytes");
  {
    const auto writer = BlobWriter::claim(store, expected);
    writer->write(as_bytes("byt"));
    EXPECT_EQ(store.ingest().list().size(), 1U);
    EXPECT_THROW(writer->publish(), Error);
    EXPECT_THROW(writer->finish(), Refused);
  }
  EXPECT_THAT(store.ingest().list(), IsEmpty());
  EXPECT_FALSE(has_blob(store, expected));
  EXPECT_EQ(put(store, "bytes"), (Descriptor{"text/plain", expected.digest, 5, {}, {}, {}, {}}));
  EXPECT_TRUE(has_blob(store, expected));
  put(store, "bytes");  // again is success
  EXPECT_EQ(store.blobs().find_stat(expected.digest.hex())->st_mode & 07777U, 0444U);
  EXPECT_THAT(store.ingest().list(), IsEmpty());
}

TEST_F(StoreTest, WhatAWriterLeftIsContinued) {
  Store store = Store::open(root());
  const Descriptor expected = descriptor_of("bytes");
  {
    const auto writer = BlobWriter::claim(store, expected);
    writer->write(as_bytes("byt"));
    writer->set_leave(Leave::bytes);
  }
  const auto writer = BlobWriter::claim(store, expected);
  ASSERT_EQ(writer->kept(), 3U);
  EXPECT_EQ(read_whole(writer->reader(), 100, "kept"), "byt");
  writer->write(as_bytes("by"));
  writer->write(as_bytes("tes"));
  writer->finish();
  EXPECT_TRUE(writer->publish());
  EXPECT_EQ(store.read_blob(expected.digest), "bytes");
}

TEST_F(StoreTest, WhatIsKeptIsComparedWithTheVerifiedStream) {
  Store store = Store::open(root());
  const Descriptor expected = descriptor_of("bytes");
  store.ingest().write_file(expected.digest.hex(), "bXt", 0600);
  const auto writer = BlobWriter::claim(store, expected);
  EXPECT_THROW(writer->write(as_bytes("bytes")), Refused);
  EXPECT_TRUE(writer->restart());
  EXPECT_EQ(writer->kept(), 0U);
  writer->write(as_bytes("bytes"));
  writer->finish();
  writer->publish();
  EXPECT_EQ(store.read_blob(expected.digest), "bytes");
}

TEST_F(StoreTest, WhatCannotBeTheBeginningOfABlobIsThrownAway) {
  Store store = Store::open(root());
  const Descriptor expected = descriptor_of("bytes");
  const std::string& name = expected.digest.hex();
  store.ingest().write_file(name, "too long", 0600);
  EXPECT_EQ(BlobWriter::claim(store, expected)->kept(), 0U);
  store.ingest().write_file(name, "byt", 0444);  // said to be complete
  EXPECT_EQ(BlobWriter::claim(store, expected)->kept(), 0U);
}

TEST_F(StoreTest, ASecondWriterWaitsAndThenSharesWhatIsComplete) {
  Store store = Store::open(root());
  const Descriptor expected = descriptor_of("bytes");
  auto one = BlobWriter::claim(store, expected);
  one->write(as_bytes("byt"));
  std::promise<void> waits;
  auto second = std::async(std::launch::async, [&] {
    return BlobWriter::claim(store, expected, {}, [&] { waits.set_value(); });
  });
  waits.get_future().wait();
  one->write(as_bytes("es"));
  one->finish();
  const auto two = second.get();
  ASSERT_TRUE(two);
  EXPECT_EQ(two->kept(), 5U);
  EXPECT_FALSE(two->restart()) << "the file is the first one's too";
  two->write(as_bytes("bytes"));
  two->finish();
  EXPECT_TRUE(one->publish());
  EXPECT_FALSE(two->publish());
  EXPECT_EQ(store.read_blob(expected.digest), "bytes");
  EXPECT_FALSE(BlobWriter::claim(store, expected)) << "it is in blobs/ now";
}

TEST_F(StoreTest, AWaitForAnotherWriterEndsWhenAsked) {
  Store store = Store::open(root());
  const Descriptor expected = descriptor_of("bytes");
  const auto one = BlobWriter::claim(store, expected);
  std::stop_source stop;
  EXPECT_THROW(BlobWriter::claim(store, expected, stop.get_token(), [&] { stop.request_stop(); }),
               Cancelled);
}

TEST_F(StoreTest, ACompleteFileOfTwoStaysForTheOther) {
  Store store = Store::open(root());
  const Descriptor expected = descriptor_of("bytes");
  auto one = BlobWriter::claim(store, expected);
  one->write(as_bytes("bytes"));
  one->finish();
  auto two = BlobWriter::claim(store, expected);
  one.reset();  // without publishing it
  two->write(as_bytes("bytes"));
  two->finish();
  EXPECT_TRUE(two->publish());
  EXPECT_EQ(store.read_blob(expected.digest), "bytes");
}

TEST_F(StoreTest, AFileThatWasTakenAwayIsNotPublished) {
  Store store = Store::open(root());
  const Descriptor expected = descriptor_of("bytes");
  auto one = BlobWriter::claim(store, expected);
  one->write(as_bytes("bytes"));
  one->finish();
  store.ingest().remove_file(expected.digest.hex());
  store.ingest().write_file(expected.digest.hex(), "hal", 0600);  // somebody begins anew
  EXPECT_THROW(one->publish(), Busy);
  EXPECT_FALSE(store.blobs().exists(expected.digest.hex()));
  one.reset();
  EXPECT_TRUE(store.ingest().exists(expected.digest.hex())) << "it is not one's to remove";
}

TEST_F(StoreTest, SweepingTakesOnlyWhatNobodyHolds) {
  Store store = Store::open(root());
  const auto alive = make_locked_directory(store.staging(), "alive");
  const auto file = make_locked_file(store.ingest(), "alive");
  store.staging().ensure_child("dead", 0700).write_file("f", "f", 0600);
  store.ingest().write_file("dead", "d", 0600);
  store.sweep_leftovers();
  EXPECT_THAT(store.staging().list(), ElementsAre("alive"));
  EXPECT_THAT(store.ingest().list(), ElementsAre("alive"));
  EXPECT_THAT(store.trash().list(), IsEmpty());
}

TEST_F(StoreTest, SweepingKeepsWhatCanBeContinuedForAWhile) {
  Store store = Store::open(root());
  const std::string young = Digest::of("young").hex();
  const std::string old = Digest::of("old").hex();
  for (const std::string& name : {young, old}) store.ingest().write_file(name, "x", 0600);
  const auto date = [&](const std::string& name, std::int64_t age) {
    const timespec when{.tv_sec = now().seconds - age, .tv_nsec = 0};
    const timespec times[2] = {when, when};
    ASSERT_EQ(::utimensat(store.ingest().fd(), name.c_str(), times, 0), 0);
  };
  const std::int64_t limit = std::chrono::seconds(k_ingest_age).count();
  date(young, limit - 3600);
  date(old, limit + 3600);
  store.sweep_leftovers();
  EXPECT_THAT(store.ingest().list(), ElementsAre(young));

  const std::string huge = Digest::of("huge").hex();
  store.ingest().write_file(huge, "x", 0600);
  ASSERT_EQ(::truncate(store.ingest().path_of(huge).c_str(), k_ingest_cap), 0);  // sparse
  date(huge, limit - 1800);
  store.sweep_leftovers();
  EXPECT_THAT(store.ingest().list(), ElementsAre(young)) << "the older one is too much";
}

TEST_F(StoreTest, ATransactionThatIsNotCommittedLeavesNothing) {
  const Store store = Store::open(root());
  Database database = Database::open(root() + "/index.db");
  {
    WriteTransaction transaction(database);
    Statement(database, "INSERT INTO blobs (digest, media_type, size) VALUES (?, ?, ?)")
        .bind("sha256:x")
        .bind("t")
        .bind(std::int64_t{1})
        .run();
  }
  Statement rows(database, "SELECT count(*) FROM blobs");
  rows.step();
  EXPECT_EQ(rows.number(0), 0);
}

TEST_F(StoreTest, TheConnectionIsSetUpForDurability) {
  const Store store = Store::open(root());
  Database database = Database::open(root() + "/index.db");
  const auto pragma = [&](const char* name) {
    Statement row(database, str("PRAGMA ", name));
    row.step();
    return row.text(0);
  };
  EXPECT_EQ(pragma("journal_mode"), "wal");
  EXPECT_EQ(pragma("synchronous"), "2");
  EXPECT_EQ(pragma("foreign_keys"), "1");
  EXPECT_EQ(pragma("trusted_schema"), "0");
  EXPECT_EQ(pragma("cell_size_check"), "1");
}

TEST_F(StoreTest, LookupsUseIndexes) {
  const Store store = Store::open(root());
  Database database = Database::open(root() + "/index.db");
  for (const char* sql :
       {"SELECT image FROM tags WHERE name = 'x'", "SELECT name FROM tags WHERE image = 'x'",
        "SELECT image FROM image_digests WHERE name = 'x'",
        "SELECT name FROM image_digests WHERE image = 'x'",
        "SELECT id FROM images WHERE id >= 'a' AND id < 'b'",
        "SELECT 1 FROM images WHERE chain = 'x'", "SELECT 1 FROM chains WHERE parent = 'x'",
        "SELECT 1 FROM chains WHERE layer = 'x'", "SELECT 1 FROM image_blobs WHERE blob = 'x'",
        "SELECT blob FROM image_blobs WHERE image = 'x'"}) {
    Statement plan(database, str("EXPLAIN QUERY PLAN ", sql));
    while (plan.step()) EXPECT_THAT(plan.text(3), testing::Not(HasSubstr("SCAN"))) << sql;
  }
}

}  // namespace
}  // namespace lade::store
