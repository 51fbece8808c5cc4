#include "runner/hosted_root.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/mount_calls.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lade::runner {

namespace {

/// The mount that is on top at a path; nothing if none begins there.
std::uint64_t mount_at(const std::string& path) {
  struct statx found {};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &found) != 0) return 0;
  return (found.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0 ? found.stx_mnt_id : 0;
}

}  // namespace

std::uint64_t attach_hosted_root(const std::string& path) {
  const Fd mount = clone_mount(AT_FDCWD, path.c_str(), k_recursive, path);
  set_flags(mount, {.propagation = MS_PRIVATE, .propagation_recursive = true}, path);
  attach_mount(mount, open_file(path, O_PATH | O_DIRECTORY), path);
  return mount_at(path);
}

void detach_hosted_root(const std::string& path, std::uint64_t mount) {
  if (mount == 0 || mount_at(path) != mount) return;
  check_syscall(::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW),
                [&] { return str("unmount ", quoted(path)); });
}

Rootfs share_root(const std::string& path) {
  // What is below it is about to be changed, so it must not be a directory of the host's as such.
  if (mount_at(path) == 0) throw Error(str("root directory ", quoted(path), ": not a mount point"));
  return {open_file(path, O_PATH | O_DIRECTORY), "the container"};
}

void change_root(const Rootfs& root) {
  const auto failed = [] { return std::string("make the container's root the root directory"); };
  check_syscall(::fchdir(root.fd()), failed);
  check_syscall(::chroot("."), failed);
}

}  // namespace lade::runner
