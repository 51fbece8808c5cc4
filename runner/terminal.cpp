#include "runner/terminal.hpp"

#include "base/error.hpp"
#include "base/mount.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace lade::runner {

namespace {

/// The multiplexer of the container's devpts, and no other device that an image put in its place.
Fd open_multiplexer(const Rootfs& root) {
  const auto found = root.find("/dev/pts/ptmx", Links::refuse);
  if (!found) throw Error("open `/dev/pts/ptmx` of the container: there is no devpts");
  struct statfs fs {};
  check_syscall(::fstatfs(found->get(), &fs), [] { return std::string("look at `/dev/pts`"); });
  const struct stat st = stat_of(*found, "/dev/pts/ptmx");
  if (fs.f_type != DEVPTS_SUPER_MAGIC || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2)) {
    throw Error("open `/dev/pts/ptmx` of the container: it is not a terminal multiplexer");
  }
  const auto directory = root.find("/dev/pts", Links::refuse);
  return Fd(
      check_syscall(::openat(directory->get(), "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC),
                    [] { return std::string("open `/dev/pts/ptmx` of the container"); }));
}

/// Binds the terminal itself, not a path that leads to it.
void show_as_console(const Rootfs& root, const Fd& slave) {
  const auto failed = [] { return std::string("make `/dev/console`"); };
  const Fd target = root.ensure_file("/dev/console", Links::refuse);
  const Fd mount(
      static_cast<int>(check_syscall(::syscall(SYS_open_tree, slave.get(), "",
                                               AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC),
                                     failed)));
  attach_mount(mount, target, "/dev/console");
}

}  // namespace

PseudoTerminal open_terminal(const Rootfs& root, const ResolvedUser& user) {
  PseudoTerminal terminal;
  terminal.master = open_multiplexer(root);
  int unlock = 0;
  check_syscall(::ioctl(terminal.master.get(), TIOCSPTLCK, &unlock),
                [] { return std::string("unlock the terminal"); });
  // The peer by the master, so that no path of the container has a say.
  terminal.slave.reset(
      check_syscall(::ioctl(terminal.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC),
                    [] { return std::string("open the terminal"); }));
  // The group stays devpts' own (tty), which may not be a number of the container's.
  check_syscall(::fchown(terminal.slave.get(), user.uid, static_cast<gid_t>(-1)),
                [] { return std::string("give the terminal to the user"); });
  show_as_console(root, terminal.slave);
  check_syscall(::ioctl(terminal.slave.get(), TIOCSCTTY, 0),
                [] { return std::string("take the terminal as the controlling one"); });
  return terminal;
}

void copy_window_size(int from, const Fd& to) {
  winsize size{};
  if (::ioctl(from, TIOCGWINSZ, &size) == 0) ::ioctl(to.get(), TIOCSWINSZ, &size);
}

RawMode::RawMode(int fd) : fd_(fd) {
  termios now{};
  if (::tcgetattr(fd, &now) != 0) return;
  before_ = now;
  ::cfmakeraw(&now);
  ::tcsetattr(fd, TCSADRAIN, &now);
}

RawMode::~RawMode() {
  if (before_) ::tcsetattr(fd_, TCSADRAIN, &*before_);
}

}  // namespace lade::runner
