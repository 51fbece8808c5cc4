#include "store/index_names.hpp"

#include "base/error.hpp"

namespace lade::store {

namespace {

void read_table(Database& database, const char* sql, NameTable& names) {
  Statement rows(database, sql);
  while (rows.step()) {
    const auto image = Digest::try_parse(rows.text(1));
    if (!image) continue;
    try {
      names.insert_or_assign(Reference::parse(rows.text(0)), *image);
    } catch (const UsageError&) {
      // A row that nobody could use.
    }
  }
}

}  // namespace

void read_names(Database& database, NameTable& names) {
  read_table(database, "SELECT name, image FROM tags", names);
  read_table(database, "SELECT name, image FROM image_digests", names);
}

void record_names(const Directory& root, Database& database, const NameChanges& changes) {
  if (has_name_journal(root)) return append_to_name_journal(root, changes);
  try {
    NameTable names;
    read_names(database, names);
    rewrite_name_journal(root, names);
  } catch (const SystemError&) {
    // A full disk: the next change tries again.
  }
}

}  // namespace lade::store
