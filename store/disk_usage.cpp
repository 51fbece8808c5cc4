#include "store/disk_usage.hpp"

#include "base/error.hpp"

#include <fcntl.h>

#include <set>
#include <utility>
#include <vector>

namespace lade::store {

namespace {

constexpr std::uint64_t k_block = 512;  // what st_blocks counts, whatever the file system's blocks

}  // namespace

std::uint64_t disk_usage(const Directory& parent, const std::string& name) {
  const auto top = parent.find_stat(name);
  if (!top) return 0;
  std::uint64_t total = static_cast<std::uint64_t>(top->st_blocks) * k_block;
  std::set<ino_t> linked;  // of several names, counted
  // Paths instead of open directories: a layer may be deeper than there are descriptors.
  std::vector<std::string> waiting;
  if (S_ISDIR(top->st_mode)) waiting.push_back(name);
  while (!waiting.empty()) {
    const std::string path = std::move(waiting.back());
    waiting.pop_back();
    auto fd = parent.find_in_root(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!fd) continue;
    const Directory directory(std::move(*fd), parent.path_of(path));
    for (const std::string& each : directory.list()) {
      const auto st = directory.find_stat(each);
      if (!st || st->st_dev != top->st_dev) continue;
      if (!S_ISDIR(st->st_mode) && st->st_nlink > 1 && !linked.insert(st->st_ino).second) continue;
      total += static_cast<std::uint64_t>(st->st_blocks) * k_block;
      if (S_ISDIR(st->st_mode)) waiting.push_back(path + '/' + each);
    }
  }
  return total;
}

}  // namespace lade::store
