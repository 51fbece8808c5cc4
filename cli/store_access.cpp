#include "cli/store_access.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <sys/stat.h>

namespace lade::cli {

namespace {

bool is_same_file(const std::string& a, const std::string& b) {
  struct stat one {};
  struct stat two {};
  return ::stat(a.c_str(), &one) == 0 && ::stat(b.c_str(), &two) == 0 && one.st_dev == two.st_dev &&
         one.st_ino == two.st_ino;
}

}  // namespace

std::string store_path(const App& app) {
  const std::string path = app.global.root.value_or(app.environment.store_root);
  // A store is removed from at every turn; it is to have a directory of its own, be that one empty.
  if (is_same_file(path, app.environment.home)) {
    throw UsageError(str("the store cannot be the home directory ", quoted(path)));
  }
  return path;
}

store::Store open_store(const App& app) {
  return store::Store::open(store_path(app), {.sync = app.global.sync});
}

}  // namespace lade::cli
