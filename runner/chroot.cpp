#include "runner/chroot.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

namespace lade::runner {

namespace {

struct statx look_at(const char* path) {
  struct statx found {};
  check_syscall(::statx(AT_FDCWD, path, 0, STATX_INO | STATX_MNT_ID, &found),
                [&] { return std::string("look at `") + path + '`'; });
  return found;
}

bool same(const struct statx& a, const struct statx& b) {
  return a.stx_mnt_id == b.stx_mnt_id && a.stx_ino == b.stx_ino;
}

}  // namespace

bool root_is_mount() {
  return (look_at("/").stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

void leave_chroot() {
  const auto failed = [] { return std::string("leave the chroot that lade runs in"); };
  // `..` ends at the root directory. With that somewhere else, in a mount that nothing is attached
  // to, it ends only where the namespace does.
  const Fd elsewhere(static_cast<int>(check_syscall(
      ::syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), failed)));
  const Fd old_root = open_file("/", O_PATH | O_DIRECTORY);
  check_syscall(::fchdir(elsewhere.get()), failed);
  check_syscall(::chroot("."), failed);
  check_syscall(::fchdir(old_root.get()), failed);
  while (!same(look_at("."), look_at(".."))) check_syscall(::chdir(".."), failed);
  check_syscall(::chroot("."), failed);
}

}  // namespace lade::runner
