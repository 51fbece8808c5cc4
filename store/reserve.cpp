#include "store/reserve.hpp"

#include "base/error.hpp"
#include "store/trash.hpp"

#include <fcntl.h>

namespace lade::store {

namespace {

constexpr const char* k_name = "reserve";
constexpr off_t k_size = 8 * 1024 * 1024;

}  // namespace

void ensure_reserve(const Directory& root) {
  if (root.exists(k_name)) return;
  const Fd file = root.open_file(k_name, O_WRONLY | O_CREAT, 0600);
  // Not posix_fallocate(): where it is not supported that writes all the bytes.
  if (::fallocate(file.get(), 0, 0, k_size) != 0) root.remove_file(k_name);
}

void on_full_disk(const Directory& root, const std::function<void()>& body) {
  const auto has_room = [&] {
    try {
      body();
      return true;
    } catch (const SystemError& error) {
      if (error.code() != ENOSPC) throw;
      return false;
    }
  };
  if (has_room() || (root.remove_file(k_name) && has_room())) return;
  // What was removed last may have taken the reserve, and its files be on their way out still.
  if (root.exists("trash")) empty_trash(root.child("trash"), IfBusy::wait);
  body();
}

}  // namespace lade::store
