#include "store/sync_mode.hpp"

#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>
#include <vector>

namespace lade::store {

namespace {

/// What there is to be synced below `name`, the directories after what is in them.
std::vector<std::string> list_tree(const Directory& parent, const std::string& name) {
  std::vector<std::string> directories{name};
  std::vector<std::string> files;
  // Paths instead of open directories: a layer may be deeper than there are descriptors.
  for (std::size_t i = 0; i < directories.size(); ++i) {
    const std::string path = directories[i];
    const Directory directory(parent.resolve_in_root(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
                              parent.path_of(path));
    for (const std::string& each : directory.list()) {
      const auto st = directory.find_stat(each);
      if (!st) continue;
      if (S_ISDIR(st->st_mode)) directories.push_back(path + '/' + each);
      if (S_ISREG(st->st_mode)) files.push_back(path + '/' + each);
    }
  }
  files.insert(files.end(), directories.rbegin(), directories.rend());
  return files;
}

}  // namespace

void sync_tree(const Directory& parent, const std::string& name, std::size_t jobs,
               const std::stop_token& stop) {
  const std::vector<std::string> paths = list_tree(parent, name);
  const auto open = [&](std::size_t i) {
    return parent.resolve_in_root(paths[i], O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  };
  // All of it on its way first: a journal then takes most inodes in one commit.
  parallel_for_each(paths.size(), jobs, stop,
                    [&](std::size_t i, const std::stop_token&) { start_write_back(open(i)); });
  parallel_for_each(paths.size(), jobs, stop, [&](std::size_t i, const std::stop_token&) {
    check_syscall(::fsync(open(i).get()),
                  [&] { return str("fsync ", quoted(parent.path_of(paths[i]))); });
  });
}

void start_write_back(const Fd& file, std::uint64_t offset, std::uint64_t length) noexcept {
  static_cast<void>(::sync_file_range(file.get(), static_cast<off_t>(offset),
                                      static_cast<off_t>(length), SYNC_FILE_RANGE_WRITE));
}

}  // namespace lade::store
