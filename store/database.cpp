#include "store/database.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "store/unknown_outcome.hpp"

#include <utility>

#include <sqlite3.h>

namespace lade::store {

namespace {

constexpr int k_busy_timeout_ms = 10'000;

}  // namespace

void throw_damaged(const std::string& message) {
  InvalidData error(message);
  error.set_hint("`lade reindex` rebuilds the index from the files");
  throw error;
}

Database Database::open(const std::string& path, Durability durability) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(
      path.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE,
      nullptr);
  Database database(handle, path);
  if (code != SQLITE_OK) database.fail(code, "open");
  sqlite3_busy_timeout(handle, k_busy_timeout_ms);
  // The write-ahead log stays between processes: making and removing it would cost every start.
  int keep = 1;
  sqlite3_file_control(handle, nullptr, SQLITE_FCNTL_PERSIST_WAL, &keep);
  database.execute(
      "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON");
  database.durability_ = durability;
  database.set_durability(durability);
  // Moving the log into the database is what still flushes: only when the log has become long.
  if (durability == Durability::process) {
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
  return database;
}

Database::Database(Database&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      path_(std::move(other.path_)),
      durability_(other.durability_) {}

Database::~Database() {
  // What others have written was durable before: who only reads must not pay for moving it.
  if (handle_ != nullptr && sqlite3_total_changes(handle_) == 0) {
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
  sqlite3_close(handle_);
}

void Database::fail(int code, std::string_view what) const {
  const char* text = handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  const std::string message = str("database ", quoted(path_), ": ", what, ": ", text);
  // A full disk has several codes: one for each kind of file that did not become larger.
  const bool is_io_error = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  if (is_io_error && handle_ != nullptr && sqlite3_system_errno(handle_) == ENOSPC) {
    throw SystemError(ENOSPC, str("database ", quoted(path_), ": ", what));
  }
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw Busy(message);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_ERROR:  // the statements are right: a table or a column is not there
      throw_damaged(message);
    case SQLITE_FULL:
      throw SystemError(ENOSPC, str("database ", quoted(path_), ": ", what));
    default:
      throw Error(message);
  }
}

/// In a write-ahead log NORMAL leaves out the fsync of each commit, and nothing else.
void Database::set_durability(Durability durability) {
  execute(durability == Durability::disk ? "PRAGMA synchronous = FULL"
                                         : "PRAGMA synchronous = NORMAL");
}

/// Whether the last call failed at making the log durable, after it was written.
bool Database::flush_has_failed() const noexcept {
  return sqlite3_extended_errcode(handle_) == SQLITE_IOERR_FSYNC;
}

/// Makes a transaction without effect, which takes the place in the log of one that was undone.
bool Database::write_over_log() noexcept {
  try {
    const std::int64_t version = user_version();
    WriteTransaction transaction(*this, Durability::process);
    execute(str("PRAGMA user_version = ", version));
    transaction.commit();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code, "execute");
}

std::int64_t Database::user_version() {
  Statement statement(*this, "PRAGMA user_version");
  statement.step();
  return statement.number(0);
}

void Database::roll_back() noexcept {
  if (sqlite3_get_autocommit(handle_) == 0) {
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

std::int64_t Database::last_key() const {
  return sqlite3_last_insert_rowid(handle_);
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(handle_);
}

Statement::Statement(Database& database, std::string_view sql) : database_(database) {
  const int code = sqlite3_prepare_v2(database.handle_, sql.data(), static_cast<int>(sql.size()),
                                      &handle_, nullptr);
  if (code != SQLITE_OK) database_.fail(code, "prepare");
}

Statement::~Statement() {
  sqlite3_finalize(handle_);
}

Statement& Statement::bind(std::string_view value) {
  const int code = sqlite3_bind_text64(handle_, ++bound_, value.data(), value.size(),
                                       SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) database_.fail(code, "bind");
  return *this;
}

Statement& Statement::bind(std::int64_t value) {
  const int code = sqlite3_bind_int64(handle_, ++bound_, value);
  if (code != SQLITE_OK) database_.fail(code, "bind");
  return *this;
}

Statement& Statement::bind_null() {
  const int code = sqlite3_bind_null(handle_, ++bound_);
  if (code != SQLITE_OK) database_.fail(code, "bind");
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_.fail(code, "step");
  return false;
}

void Statement::run() {
  while (step()) {
  }
  sqlite3_reset(handle_);
  bound_ = 0;
}

std::string Statement::text(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(handle_, column));
  const int size = sqlite3_column_bytes(handle_, column);
  return data == nullptr ? std::string() : std::string(data, static_cast<std::size_t>(size));
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(handle_, column);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

ReadTransaction::ReadTransaction(Database& database) : database_(database) {
  database_.execute("BEGIN");
}

ReadTransaction::~ReadTransaction() {
  database_.roll_back();
}

WriteTransaction::WriteTransaction(Database& database, Durability durability)
    : database_(database),
      lowered_(durability == Durability::process && database.durability_ == Durability::disk) {
  if (lowered_) database_.set_durability(Durability::process);
  database_.execute("BEGIN IMMEDIATE");
}

WriteTransaction::~WriteTransaction() {
  if (open_) database_.roll_back();
  if (lowered_) {
    try {
      database_.set_durability(database_.durability_);
    } catch (const Error&) {
      // Only a connection that is out of memory refuses it, and that commits nothing any more.
    }
  }
}

void WriteTransaction::commit() {
  open_ = false;
  try {
    database_.execute("COMMIT");
  } catch (const Error& error) {
    // All of it may be in the log, which only could not be flushed. This process then takes it for
    // undone, but whoever reads the log after a crash would take it for committed.
    const bool may_be_logged = database_.flush_has_failed();
    database_.roll_back();
    if (may_be_logged && !database_.write_over_log()) throw UnknownOutcome(error.what());
    throw;
  }
}

}  // namespace lade::store
