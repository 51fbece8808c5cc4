#include "runner/devices.hpp"

#include "base/error.hpp"
#include "base/mount.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace lade::runner {

namespace {

/// The directory of `path`, without a link on the way, and the name in it.
struct Place {
  Fd directory;
  std::string name;
};

Place place_of(const Rootfs& root, const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos || slash + 1 == path.size()) {
    throw Error(str("make ", quoted(path), ": not the path of a file"));
  }
  return {root.ensure_directory(slash == 0 ? "/" : path.substr(0, slash), Links::refuse),
          path.substr(slash + 1)};
}

mode_t type_bits(const SpecDevice& device) {
  switch (device.type) {
    case 'c':
    case 'u':
      return S_IFCHR;
    case 'b':
      return S_IFBLK;
    case 'p':
      return S_IFIFO;
    default:
      throw UsageError(str("device ", quoted(device.path), ": unknown type ", device.type));
  }
}

/// Whether `path` is a node that the device's own would be like.
bool is_device(const Fd& path, const SpecDevice& device) {
  const struct stat st = stat_of(path, device.path);
  if ((st.st_mode & S_IFMT) != (type_bits(device) & S_IFMT)) return false;
  return device.type == 'p' || st.st_rdev == makedev(device.major, device.minor);
}

/// A user namespace cannot have nodes of its own: the host's is shown there.
void bind_device(const Place& place, const SpecDevice& device) {
  const auto failed = [&] { return str("bind device ", quoted(device.path), " of the host"); };
  const Fd source(static_cast<int>(
      check_syscall(::syscall(SYS_open_tree, AT_FDCWD, device.path.c_str(),
                              OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW),
                    failed)));
  if (!is_device(source, device)) throw Error(str(failed(), ": it is another device"));
  const Fd made(::openat(place.directory.get(), place.name.c_str(),
                         O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!made.valid() && errno != EEXIST) throw SystemError(errno, failed());
  const Fd target(check_syscall(
      ::openat(place.directory.get(), place.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC),
      failed));
  if (S_ISLNK(stat_of(target, device.path).st_mode)) {
    throw Error(str(failed(), ": a symbolic link is in its place"));
  }
  attach_mount(source, target, device.path);
}

/// Puts a node in the place of what is there, which is never opened or followed.
void replace_by_device(const Place& place, const SpecDevice& device) {
  const auto failed = [&] { return str("make device ", quoted(device.path)); };
  const std::string name = str(".lade-", place.name);
  check_syscall(::mknodat(place.directory.get(), name.c_str(), type_bits(device) | device.mode,
                          makedev(device.major, device.minor)),
                failed);
  if (::renameat(place.directory.get(), name.c_str(), place.directory.get(), place.name.c_str()) ==
      0) {
    return;
  }
  const int code = errno;
  ::unlinkat(place.directory.get(), name.c_str(), 0);
  throw SystemError(code, failed());
}

void make_device(const Rootfs& root, const SpecDevice& device) {
  const Place place = place_of(root, device.path);
  const auto failed = [&] { return str("make device ", quoted(device.path)); };
  // The umask is 0 during set-up, so the mode is exact.
  if (::mknodat(place.directory.get(), place.name.c_str(), type_bits(device) | device.mode,
                makedev(device.major, device.minor)) != 0) {
    if (errno == EPERM) return bind_device(place, device);
    if (errno != EEXIST) throw SystemError(errno, failed());
    const Fd there(check_syscall(
        ::openat(place.directory.get(), place.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC),
        failed));
    if (is_device(there, device)) return;
    replace_by_device(place, device);
  }
  if (device.uid == 0 && device.gid == 0) return;
  check_syscall(::fchownat(place.directory.get(), place.name.c_str(), device.uid, device.gid,
                           AT_SYMLINK_NOFOLLOW),
                failed);
}

bool is_null_device(const struct stat& st) {
  return S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

}  // namespace

void make_devices(const Rootfs& root, const step::MakeDevices& step) {
  for (const SpecDevice& device : step.devices) make_device(root, device);
}

void make_link(const Rootfs& root, const step::MakeLink& step) {
  const Place place = place_of(root, step.path);
  const auto failed = [&] { return str("make link ", quoted(step.path)); };
  if (::symlinkat(step.target.c_str(), place.directory.get(), place.name.c_str()) == 0) return;
  // Where /dev is the image's own, links of these names may be there; what else is, stays.
  if (errno != EEXIST) throw SystemError(errno, failed());
}

Fd open_null_device(const Rootfs& root, int flags) {
  const auto directory = root.find("/dev", Links::refuse);
  const auto refuse = [](const char* why) {
    return Error(str("open `/dev/null` of the container: ", why));
  };
  if (!directory) throw refuse("there is no `/dev`");
  // Looked at before it is opened for real: opening a device may do something.
  const Fd path(::openat(directory->get(), "null", O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!path.valid() || !is_null_device(stat_of(path, "/dev/null"))) {
    throw refuse("it is not the null device");
  }
  Fd opened(
      check_syscall(::openat(directory->get(), "null", flags | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC),
                    [] { return std::string("open `/dev/null` of the container"); }));
  if (!is_null_device(stat_of(opened, "/dev/null"))) throw refuse("it is not the null device");
  return opened;
}

}  // namespace lade::runner
