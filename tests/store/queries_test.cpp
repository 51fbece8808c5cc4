// Every statement of the paths that people wait for is answered by an index. SQLite itself tells
// which statements these are: a hook on each connection writes them down.
#include "store/database.hpp"
#include "store/lease.hpp"
#include "tests/store/filled_store.hpp"

#include <gmock/gmock.h>

#include <set>

#include <sqlite3.h>

namespace lade::store {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// While it lives, the statements of all new connections are written down.
class StatementLog {
 public:
  StatementLog() {
    statements().clear();
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(&attach));
  }
  StatementLog(const StatementLog&) = delete;
  StatementLog& operator=(const StatementLog&) = delete;
  ~StatementLog() { sqlite3_reset_auto_extension(); }

  /// Those since the last call, without what begins and ends transactions.
  static std::set<std::string> take() {
    std::set<std::string> taken;
    taken.swap(statements());
    std::erase_if(taken, [](const std::string& sql) {
      return sql.starts_with("PRAGMA") || sql.starts_with("BEGIN") || sql.starts_with("COMMIT") ||
             sql.starts_with("ROLLBACK");
    });
    return taken;
  }

 private:
  static std::set<std::string>& statements() {
    static std::set<std::string> all;
    return all;
  }
  static int note(unsigned, void*, void* statement, void*) {
    statements().insert(sqlite3_sql(static_cast<sqlite3_stmt*>(statement)));
    return 0;
  }
  static int attach(sqlite3* database, char**, const sqlite3_api_routines*) {
    return sqlite3_trace_v2(database, SQLITE_TRACE_STMT, &note, nullptr);
  }
};

class QueriesTest : public StoreTest {
 protected:
  /// The steps of the plans of these statements that read a whole table.
  std::vector<std::string> scans(const std::set<std::string>& statements) {
    Database database = Database::open(root() + "/index.db");
    std::vector<std::string> found;
    for (const std::string& sql : statements) {
      Statement plan(database, "EXPLAIN QUERY PLAN " + sql);
      while (plan.step()) {
        const std::string step = plan.text(3);
        // The rows of a recursion, and the one row of a value, are no table's.
        if (!step.starts_with("SCAN") || step == "SCAN link" || step == "SCAN CONSTANT ROW")
          continue;
        found.push_back(step + ": " + sql);
      }
    }
    return found;
  }
};

TEST_F(QueriesTest, WhatPeopleWaitForIsAnsweredByIndexes) {
  const StatementLog log;
  Store store = Store::open(root());
  commit(store, image(store, "first", {}));
  StatementLog::take();  // what makes the tables, and the first record of names
  const NewImage one = image(store, "one", {"base", "own"});
  commit(store, one);
  const NewImage two = image(store, "two", {"base"});
  commit(store, two);
  {
    Lease lease(store);
    lease.hold_blob(one.blobs.front());
    lease.hold_layer(one.layers.front().key);
  }
  store.tag(one.id, Reference::parse("three:1"));
  for (const std::string& name :
       {std::string("one"), std::string("three:1"), one.id.hex().substr(0, 12),
        "one@" + one.manifest.digest.text()}) {
    EXPECT_TRUE(store.find_image(name)) << name;
  }
  EXPECT_EQ(store.layers_of(one.id).size(), 2U);
  EXPECT_FALSE(store.blobs_of(one.id).empty());
  EXPECT_TRUE(store.find_layer(one.layers.back().diff_id));
  EXPECT_TRUE(store.find_layer(chain_id(two.layers.front().diff_id)));
  store.untag(Reference::parse("three:1"));
  store.remove_image(one.id);
  const auto statements = StatementLog::take();
  EXPECT_GT(statements.size(), 25U) << "is the hook in its place?";
  std::vector<std::string> found = scans(statements);
  // The leases are those of the processes that pull at this moment.
  std::erase_if(found, [](const std::string& scan) { return scan.starts_with("SCAN leases"); });
  EXPECT_THAT(found, IsEmpty());
}

TEST_F(QueriesTest, AListReadsWhatItListsAndNothingTwice) {
  const StatementLog log;
  const Store store = Store::open(root());
  StatementLog::take();
  store.list_images();
  const auto statements = StatementLog::take();
  EXPECT_EQ(statements.size(), 3U) << "as many as there are tables, not as there are images";
  for (const std::string& sql : statements) {
    Database database = Database::open(root() + "/index.db");
    Statement plan(database, "EXPLAIN QUERY PLAN " + sql);
    std::vector<std::string> steps;
    while (plan.step()) steps.push_back(plan.text(3));
    EXPECT_THAT(steps, testing::SizeIs(1)) << "sorted by an index, not anew: " << sql;
  }
}

TEST_F(QueriesTest, WhatAForeignKeyAsksForIsAnsweredByIndexes) {
  const Store store = Store::open(root());
  Database database = Database::open(root() + "/index.db");
  std::vector<std::string> tables;
  {
    Statement rows(database, "SELECT name FROM sqlite_schema WHERE type = 'table'");
    while (rows.step()) tables.push_back(rows.text(0));
  }
  std::set<std::string> questions;
  for (const std::string& table : tables) {
    Statement keys(database, str("PRAGMA foreign_key_list(", table, ")"));
    while (keys.step()) {
      questions.insert(str("SELECT 1 FROM ", table, " WHERE ", keys.text(3), " = 'x'"));
    }
  }
  EXPECT_GE(questions.size(), 8U);
  EXPECT_THAT(scans(questions), IsEmpty());
}

}  // namespace
}  // namespace lade::store
