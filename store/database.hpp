// SQLite as values with owners. The only header of the project that stands for sqlite3.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace lade::store {

/// Whether a committed transaction outlives a power cut, or only its process. The index is whole
/// after a power cut either way.
enum class Durability { disk, process };

/// Throws InvalidData for an index that cannot be used, with the hint that it can be rebuilt.
[[noreturn]] void throw_damaged(const std::string& message);

/// One connection. Not for use by two threads at once.
class Database {
 public:
  /// Opens the file, makes it if it is not there, sets the pragmas that every connection needs.
  /// Throws Busy when it is locked for longer than 10 s, InvalidData when it is no database.
  static Database open(const std::string& path, Durability durability = Durability::disk);
  Database(Database&& other) noexcept;
  Database& operator=(Database&&) = delete;
  ~Database();

  /// Runs statements that give no rows.
  void execute(const std::string& sql);
  /// `PRAGMA user_version`.
  std::int64_t user_version();
  /// The key of the row that was inserted last.
  std::int64_t last_key() const;
  /// How many rows the last statement changed.
  std::int64_t changes() const;
  /// Ends the open transaction, if SQLite has not ended it by itself, without its effects.
  void roll_back() noexcept;

 private:
  friend class Statement;
  friend class WriteTransaction;
  explicit Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  void set_durability(Durability durability);
  bool flush_has_failed() const noexcept;
  bool write_over_log() noexcept;
  [[noreturn]] void fail(int code, std::string_view what) const;

  sqlite3* handle_;
  std::string path_;
  Durability durability_ = Durability::disk;  ///< of its transactions, at most
};

/// A prepared statement. Values are bound in the order in which they are given: no value ever
/// becomes part of the SQL.
class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  Statement& bind(std::string_view value);
  Statement& bind(std::int64_t value);
  Statement& bind_null();
  template <class Value>
  Statement& bind(const std::optional<Value>& value) {
    return value ? bind(*value) : bind_null();
  }

  /// Advances to the next row; false at the end.
  bool step();
  /// Runs a statement that gives no rows, and makes it ready to be bound again.
  void run();

  std::string text(int column) const;
  std::int64_t number(int column) const;
  bool is_null(int column) const;

 private:
  Database& database_;
  sqlite3_stmt* handle_ = nullptr;
  int bound_ = 0;
};

/// What is read between its beginning and its end is one state of the database.
class ReadTransaction {
 public:
  explicit ReadTransaction(Database& database);
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;
  ~ReadTransaction();

 private:
  Database& database_;
};

/// BEGIN IMMEDIATE: the write lock is taken at once, so that busy_timeout applies to it and no
/// read turns into a write too late. Rolled back unless commit() was called.
class WriteTransaction {
 public:
  explicit WriteTransaction(Database& database, Durability durability = Durability::disk);
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;
  ~WriteTransaction();

  /// Durable when it returns (synchronous=FULL), unless it, or its connection, is for the process
  /// only. When it throws, the transaction has no effect, now or later; but see UnknownOutcome.
  void commit();

 private:
  Database& database_;
  bool lowered_;  ///< the connection's durability, for as long as this lives
  bool open_ = true;
};

}  // namespace lade::store
