#include "store/trash.hpp"

#include "base/concurrency.hpp"
#include "base/fd.hpp"
#include "store/locked.hpp"

#include <fcntl.h>

namespace lade::store {

namespace {

constexpr std::size_t k_unlinkers = 4;

}  // namespace

void empty_trash(const Directory& trash, IfBusy if_busy) {
  // Two would remove the same tree under each other's feet.
  const Fd lock = trash.open_file(".", O_RDONLY | O_DIRECTORY);
  if (if_busy == IfBusy::wait) {
    lock_exclusively(lock, trash.path());
  } else if (!try_lock(lock)) {
    return;
  }
  const std::vector<std::string> names = trash.list();
  parallel_for_each(names.size(), k_unlinkers, {},
                    [&](std::size_t i, const std::stop_token&) { trash.remove_tree(names[i]); });
}

}  // namespace lade::store
