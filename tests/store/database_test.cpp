// The index's files between two processes.
#include "store/database.hpp"

#include "base/directory.hpp"
#include "tests/base/scratch.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

namespace lade::store {
namespace {

struct stat status_of(const std::string& path) {
  struct stat st {};
  EXPECT_EQ(::stat(path.c_str(), &st), 0) << path;
  return st;
}

TEST(Database, WhoOnlyReadsDoesNotMoveTheLogIntoIt) {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() + "/index.db";
  {
    Database database = Database::open(path, Durability::process);
    database.execute("PRAGMA journal_mode = WAL; CREATE TABLE t (x); PRAGMA user_version = 7");
  }
  const off_t before = status_of(path).st_size;
  {
    Database database = Database::open(path, Durability::disk);
    EXPECT_EQ(database.user_version(), 7);
  }
  EXPECT_EQ(status_of(path).st_size, before);
  {
    Database database = Database::open(path, Durability::disk);
    database.execute("INSERT INTO t VALUES (1)");
  }
  EXPECT_GT(status_of(path).st_size, before);
}

}  // namespace
}  // namespace lade::store
