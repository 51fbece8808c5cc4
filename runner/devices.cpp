#include "runner/devices.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
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

bool is_null_device(const struct stat& st) {
  return S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

}  // namespace

void make_devices(const Rootfs& root, const step::MakeDevices& step) {
  for (const SpecDevice& device : step.devices) {
    const Place place = place_of(root, device.path);
    const mode_t mode = type_bits(device) | device.mode;
    // The umask is 0 during set-up, so the mode is exact.
    check_syscall(::mknodat(place.directory.get(), place.name.c_str(), mode,
                            makedev(device.major, device.minor)),
                  [&] { return str("make device ", quoted(device.path)); });
  }
}

void make_link(const Rootfs& root, const step::MakeLink& step) {
  const Place place = place_of(root, step.path);
  check_syscall(::symlinkat(step.target.c_str(), place.directory.get(), place.name.c_str()),
                [&] { return str("make link ", quoted(step.path)); });
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
