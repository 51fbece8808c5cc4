// Stores that somebody prepared: links, pipes, foreign owners, rows that point elsewhere.
#include "base/error.hpp"
#include "base/fd.hpp"
#include "store/database.hpp"
#include "store/reindex.hpp"
#include "tests/store/filled_store.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <future>
#include <random>
#include <thread>

namespace lade::store {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class HostileStoreTest : public StoreTest {
 protected:
  Directory directory() const { return scratch_->child("store"); }
  void execute(const std::string& sql) const {
    Database::open(root() + "/index.db").execute("PRAGMA foreign_keys = OFF; " + sql);
  }
  /// That opening throws InvalidData or SystemError with this in its line.
  void expect_refused(const std::string& part) const {
    try {
      Store::open(root());
      ADD_FAILURE() << "accepted; expected: " << part;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(part));
    }
  }
};

TEST_F(HostileStoreTest, ADirectoryOfSomebodyElseIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: it gives files away";
  { const Store store = Store::open(root()); }
  ASSERT_EQ(::chown(root().c_str(), 12345, 12345), 0);
  expect_refused("it belongs to user 12345, not to user 0");
  ASSERT_EQ(::chown(root().c_str(), 0, 0), 0);
  for (const char* part :
       {"blobs", "blobs/sha256", "ingest", "staging", "layers", "containers", "trash"}) {
    const std::string path = str(root(), '/', part);
    ASSERT_EQ(::chown(path.c_str(), 12345, 12345), 0);
    expect_refused(str(part, "`: it belongs to user 12345"));
    ASSERT_EQ(::chown(path.c_str(), 0, 0), 0);
  }
  EXPECT_NO_THROW(Store::open(root()));
}

TEST_F(HostileStoreTest, LinksAndPipesInPlaceOfItsPartsAreRefused) {
  const Directory precious = scratch_->ensure_child("precious", 0700);
  precious.write_file("file", "data", 0600);
  for (const char* part : {"blobs", "ingest", "staging", "layers", "containers", "trash"}) {
    SCOPED_TRACE(part);
    scratch_->remove_tree("store");
    { const Store store = Store::open(root()); }
    directory().remove_tree(part);
    ASSERT_EQ(::symlinkat(precious.path().c_str(), directory().fd(), part), 0);
    expect_refused(part);
    directory().remove_tree(part);
    ASSERT_EQ(::mkfifoat(directory().fd(), part, 0600), 0);
    expect_refused(part);
  }
  EXPECT_THAT(precious.list(), testing::ElementsAre("file"));
}

TEST_F(HostileStoreTest, AMarkerThatIsALinkOrAPipeIsNone) {
  { const Store store = Store::open(root()); }
  directory().rename("lade-store", *scratch_, "marker");
  ASSERT_EQ(::symlinkat("../marker", directory().fd(), "lade-store"), 0);
  EXPECT_THROW(Store::open(root()), Error);
  directory().remove_file("lade-store");
  ASSERT_EQ(::mkfifoat(directory().fd(), "lade-store", 0600), 0);
  EXPECT_THROW(Store::open(root()), Error);
}

TEST_F(HostileStoreTest, APartThatIsAFileSystemOfItsOwnIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: it mounts";
  { const Store store = Store::open(root()); }
  const pid_t child = ::fork();
  if (child == 0) {
    int code = 2;
    const std::string layers = root() + "/layers";
    if (::unshare(CLONE_NEWNS) == 0 &&
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        ::mount("none", layers.c_str(), "tmpfs", 0, nullptr) == 0) {
      try {
        Store::open(root());
        code = 1;
      } catch (const InvalidData& error) {
        code =
            std::string(error.what()).find("a file system of its own") != std::string::npos ? 0 : 3;
      }
    }
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(HostileStoreTest, BlobsThatAreLinksPipesOrDirectoriesAreNoBlobs) {
  Store store = Store::open(root());
  const std::string bytes = "bytes";
  const Descriptor blob{"text/plain", Digest::of(bytes), bytes.size(), {}, {}, {}, {}};
  const std::string name = blob.digest.hex();
  scratch_->write_file("target", bytes, 0600);
  const std::function<void()> makers[] = {
      [&] { ::symlinkat("../../../target", store.blobs().fd(), name.c_str()); },
      [&] { ::mkfifoat(store.blobs().fd(), name.c_str(), 0600); },
      [&] { ::mkdirat(store.blobs().fd(), name.c_str(), 0700); }};
  for (const auto& make : makers) {
    make();
    ASSERT_TRUE(store.blobs().exists(name));
    EXPECT_FALSE(has_blob(store, blob));
    EXPECT_THROW(open_blob(store, blob.digest), Error);
    EXPECT_THROW(store.read_blob(blob.digest), Error);
    store.blobs().remove_tree(name);
  }
}

TEST_F(HostileStoreTest, IngestFilesThatAreLinksOrPipesAreNotWrittenTo) {
  Store store = Store::open(root());
  const std::string bytes = "bytes";
  const Descriptor blob{"text/plain", Digest::of(bytes), bytes.size(), {}, {}, {}, {}};
  const std::string name = blob.digest.hex();
  scratch_->write_file("target", "", 0600);
  ASSERT_EQ(::symlinkat("../../target", store.ingest().fd(), name.c_str()), 0);
  EXPECT_THROW(BlobWriter::claim(store, blob), SystemError);
  EXPECT_EQ(read_file(scratch_.path() + "/target", 100), "");
  store.ingest().remove_file(name);
  ASSERT_EQ(::mkfifoat(store.ingest().fd(), name.c_str(), 0600), 0);
  EXPECT_EQ(put(store, bytes).digest, blob.digest) << "a pipe is thrown away";
}

TEST_F(HostileStoreTest, RowsThatPointOutOfTheStoreLeadNowhere) {
  const std::string key = Digest::of("a").hex();
  const Directory victim = scratch_->ensure_child("victim", 0700);
  victim.write_file("file", "data", 0600);
  for (const char* evil : {"../../victim", "../victim", "..", ".", "", "/etc"}) {
    SCOPED_TRACE(evil);
    scratch_->remove_tree("store");
    Digest id = Digest::of("");
    {
      Store store = Store::open(root());
      id = commit(store, image(store, "app", {"a"}));
    }
    execute(str("UPDATE layers SET key = '", evil, "'; UPDATE chains SET layer = '", evil, "'"));
    Store store = Store::open(root());
    EXPECT_THROW(store.layers_of(id), InvalidData);
    EXPECT_THROW(store.contents(), InvalidData);
    EXPECT_THROW(store.remove_image(id), InvalidData);
    EXPECT_NO_THROW(store.collect());
    EXPECT_THAT(victim.list(), testing::ElementsAre("file"));
    EXPECT_THROW(store.discard(store.layers(), evil), InvalidData);
  }
}

TEST_F(HostileStoreTest, AChainWithoutEndIsNotFollowedForEver) {
  Digest id = Digest::of("");
  {
    Store store = Store::open(root());
    id = commit(store, image(store, "app", {"a", "b"}));
  }
  execute(
      "UPDATE chains SET parent = (SELECT id FROM chains AS other WHERE other.id <> chains.id)");
  Store store = Store::open(root());
  EXPECT_THROW(store.layers_of(id), InvalidData);
  EXPECT_NO_THROW(store.collect());
  EXPECT_NO_THROW(store.usage());
  EXPECT_NO_THROW(store.remove_image(id));
}

TEST_F(HostileStoreTest, TriggersAndViewsOfADatabaseRunNoFunctionsOfOurs) {
  {
    Store store = Store::open(root());
    commit(store, image(store, "app", {"a"}));
  }
  const std::string file = scratch_.path() + "/written";
  // load_extension() and writefile() are what an attacker would like to have called.
  execute(str("CREATE TRIGGER evil AFTER INSERT ON tags BEGIN SELECT load_extension('", file,
              "'); END"));
  Store store = Store::open(root());
  EXPECT_THROW(store.tag(store.list_images().front().id, Reference::parse("x:1")), Error);
  EXPECT_FALSE(scratch_->exists("written"));
}

TEST_F(HostileStoreTest, TheLogOfTheIndexIsNotWrittenThroughALink) {
  {
    Store store = Store::open(root());
    commit(store, image(store, "app", {"a"}));
  }
  scratch_->write_file("target", "data", 0600);
  directory().remove_file("index.db-wal");
  ASSERT_EQ(::symlinkat("../target", directory().fd(), "index.db-wal"), 0);
  try {
    Store store = Store::open(root());
    commit(store, image(store, "other", {}));
  } catch (const Error&) {
    // Refused is as well.
  }
  EXPECT_EQ(read_file(scratch_.path() + "/target", 100), "data");
}

// Any damage to the index: an error at the worst, never a crash or an endless loop; rebuilding it
// mends everything.
TEST_F(HostileStoreTest, DamageAtRandomIsSurvived) {
  {
    Store store = Store::open(root());
    for (const char* name : {"one", "two", "three"})
      commit(store, image(store, name, {"base", name}));
    Database::open(root() + "/index.db").execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }
  const std::string whole = read_file(root() + "/index.db", 1 << 22);
  std::mt19937 random(20261122);
  int refused = 0;
  for (int round = 0; round < 150; ++round) {
    SCOPED_TRACE(round);
    std::string damaged = whole;
    const std::size_t changes = 1 + random() % 16;
    for (std::size_t i = 0; i < changes; ++i) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    for (const char* name : {"index.db", "index.db-wal", "index.db-shm"})
      directory().remove_tree(name);
    directory().write_file("index.db", damaged, 0600);
    try {
      Store store = Store::open(root());
      for (const StoredImage& each : store.list_images()) {
        static_cast<void>(store.layers_of(each.id));
        static_cast<void>(store.blobs_of(each.id));
      }
      static_cast<void>(store.find_image("one"));
      static_cast<void>(store.check_index());
      static_cast<void>(store.collect({.dry_run = true}));
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
  directory().remove_tree("index.db");
  directory().write_file("index.db", std::string(4096, '\1'), 0600);
  EXPECT_NO_THROW(reindex(root(), {}));
  EXPECT_NO_THROW(Store::open(root()));
}

// Sixteen that write, one that reads on and on: nobody is told that the database is locked.
TEST_F(HostileStoreTest, WhoFindsTheIndexLockedWaits) {
  Store store = Store::open(root());
  const NewImage app = image(store, "app", {});
  commit(store, app);
  std::promise<void> locked;
  std::promise<void> asked;
  std::jthread other([&] {
    Database database = Database::open(root() + "/index.db");
    database.execute("BEGIN IMMEDIATE");
    locked.set_value();
    asked.get_future().wait();
    // SQLite is asked at about this moment: before it or after it, it makes no difference.
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    database.execute("COMMIT");
  });
  locked.get_future().wait();
  asked.set_value();
  store.tag(app.id, Reference::parse("another:1"));
  EXPECT_TRUE(store.find_image("another:1"));
}

TEST_F(HostileStoreTest, ManyWritersAndALongReaderAreNeverToldToComeBack) {
  constexpr int k_writers = 16;
  Digest id = Digest::of("");
  {
    Store store = Store::open(root());
    id = commit(store, image(store, "app", {"a"}));
  }
  const pid_t reader = ::fork();
  if (reader == 0) {
    Database database = Database::open(root() + "/index.db");
    const ReadTransaction transaction(database);
    Statement rows(database, "SELECT id FROM images");
    rows.step();
    ::pause();
  }
  std::vector<pid_t> writers;
  for (int writer = 0; writer < k_writers; ++writer) {
    writers.push_back(::fork());
    if (writers.back() != 0) continue;
    int code = 0;
    try {
      Store store = Store::open(root());
      for (int round = 0; round < 20; ++round) {
        const Reference name = Reference::parse(str("writer", writer, ":", round));
        store.tag(id, name);
        if (round % 2 == 0) store.untag(name);
      }
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      code = 1;
    }
    ::_exit(code);
  }
  for (const pid_t writer : writers) {
    int status = 0;
    ::waitpid(writer, &status, 0);
    EXPECT_EQ(status, 0);
  }
  ::kill(reader, SIGKILL);
  ::waitpid(reader, nullptr, 0);
  EXPECT_EQ(Store::open(root()).get_image(id.text()).names.size(), 1U + k_writers * 10);
}

}  // namespace
}  // namespace lade::store
