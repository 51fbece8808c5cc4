#include "base/mount.hpp"

#include "base/error.hpp"
#include "base/mount_page.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <optional>

namespace lade {

namespace {

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/// What the kernel wrote about the last failure into the context's log: `e overlay: …`.
std::string kernel_log(int context) {
  std::string text;
  char line[512];
  for (;;) {
    const ssize_t count = ::read(context, line, sizeof line);
    if (count <= 2) return text;
    text += str(" (", trim(std::string_view(line, static_cast<std::size_t>(count)).substr(2)), ")");
  }
}

[[noreturn]] void fail(const Fd& context, int code, const std::string& what) {
  throw SystemError(code, what + kernel_log(context.get()));
}

void set_string(const Fd& context, const char* key, const std::string& value) {
  if (::syscall(SYS_fsconfig, context.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) != 0) {
    fail(context, errno, str("set overlay option ", key, "=", quoted(value)));
  }
}

/// A path as these two options have it, unlike `lowerdir+`: with its backslashes doubled.
std::string escaped(const std::string& path) {
  std::string text;
  for (const char c : path) text += c == '\\' ? "\\\\" : std::string(1, c);
  return text;
}

void set_flag(const Fd& context, const char* key) {
  if (::syscall(SYS_fsconfig, context.get(), FSCONFIG_SET_FLAG, key, nullptr, 0) != 0) {
    fail(context, errno, str("set overlay option ", key));
  }
}

bool add_layer(const Fd& context, const std::string& lower) {
  return ::syscall(SYS_fsconfig, context.get(), FSCONFIG_SET_STRING, "lowerdir+", lower.c_str(),
                   0) == 0;
}

[[noreturn]] void refuse_layer(const Fd& context, const std::string& lower) {
  fail(context, errno, str("set overlay option lowerdir+=", quoted(lower)));
}

/// Whether the kernel looks at options when they are set. Before Linux 6.5 it takes whatever it is
/// given for overlay, `lowerdir+` too, to refuse it when it mounts, in words for everybody. A layer
/// without a path is refused by those that look.
bool looks_at_options(const Fd& context) {
  if (::syscall(SYS_fsconfig, context.get(), FSCONFIG_SET_FLAG, "lowerdir+", nullptr, 0) == 0) {
    return false;
  }
  kernel_log(context.get());  // what it says of this is not for an error of later
  return true;
}

/// A context with the topmost layer in it; nothing where the kernel does not take layers one by
/// one. It is the layer itself that is tried: of one that is not there the kernel would tell
/// everybody who reads its log.
std::optional<Fd> find_context(const OverlayConfig& config) {
  Fd context(static_cast<int>(::syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC)));
  const bool may_choose = config.interface == OverlayInterface::automatic;
  if (!context.valid()) {
    if (may_choose && (errno == ENOSYS || errno == EPERM)) return std::nullopt;
    throw SystemError(errno, "open the overlay file system");
  }
  if (!looks_at_options(context)) {
    if (may_choose) return std::nullopt;
    throw SystemError(EINVAL, "the kernel's overlay takes no options one by one");
  }
  const std::string& top = config.lowers.front();
  if (add_layer(context, top)) return context;
  if (may_choose && errno == EINVAL) return std::nullopt;
  refuse_layer(context, top);
}

Fd mount_by_descriptors(const Fd& context, const OverlayConfig& config) {
  // One option per layer: the number of layers is not bound by a page of mount options.
  for (std::size_t i = 1; i < config.lowers.size(); ++i) {
    if (!add_layer(context, config.lowers[i])) refuse_layer(context, config.lowers[i]);
  }
  if (!config.upper.empty()) {
    set_string(context, "upperdir", escaped(config.upper));
    set_string(context, "workdir", escaped(config.work));
    if (config.volatile_upper) set_flag(context, "volatile");
  }
  set_string(context, "index", "off");
  set_string(context, "xino", "off");
  if (config.user_xattr) set_flag(context, "userxattr");
  if (::syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    fail(context, errno, "mount overlay");
  }
  const unsigned attributes = config.upper.empty() ? MOUNT_ATTR_RDONLY : 0;
  const long mount = ::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, attributes);
  if (mount < 0) fail(context, errno, "mount overlay");
  return Fd(static_cast<int>(mount));
}

}  // namespace

Fd clone_mount(const std::string& path, Writable writable) {
  Fd mount(static_cast<int>(
      check_syscall(::syscall(SYS_open_tree, AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | O_CLOEXEC),
                    [&] { return str("clone mount of ", quoted(path)); })));
  if (writable == Writable::yes) return mount;
  struct mount_attr attr {};
  attr.attr_set = MOUNT_ATTR_RDONLY;
  check_syscall(::syscall(SYS_mount_setattr, mount.get(), "", AT_EMPTY_PATH, &attr, sizeof attr),
                [&] { return str("make mount of ", quoted(path), " read-only"); });
  return mount;
}

Fd make_overlay_mount(const OverlayConfig& config) {
  if (config.lowers.size() == 1 && config.upper.empty())
    return clone_mount(config.lowers[0], Writable::no);
  if (config.lowers.size() > k_max_lowers) {
    throw InvalidData(str("overlay of ", config.lowers.size(), " layers: the kernel takes at most ",
                          k_max_lowers));
  }
  if (config.interface == OverlayInterface::page) return mount_overlay_by_page(config);
  const std::optional<Fd> context = find_context(config);
  return context ? mount_by_descriptors(*context, config) : mount_overlay_by_page(config);
}

void attach_mount(const Fd& mount, const Fd& target, const std::string& what) {
  constexpr unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  check_syscall(::syscall(SYS_move_mount, mount.get(), "", target.get(), "", flags),
                [&] { return str("mount on ", quoted(what)); });
}

void unmount(const std::string& path, MountInUse in_use) {
  const int flags = UMOUNT_NOFOLLOW | (in_use == MountInUse::detaches ? MNT_DETACH : 0);
  check_syscall(::umount2(path.c_str(), flags), [&] { return str("unmount ", quoted(path)); });
}

}  // namespace lade
