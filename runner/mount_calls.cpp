#include "runner/mount_calls.hpp"

#include "base/error.hpp"
#include "base/mount.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lade::runner {

namespace {

/// What mount_setattr(2) is asked for.
struct Change {
  std::uint64_t set = 0;
  std::uint64_t clear = 0;
  std::uint64_t propagation = 0;
  bool recursive = false;
};

void change_mount(const Fd& mount, Change change, const std::string& what) {
  // An access time is a field of several bits, which is cleared as a whole before it is set.
  if ((change.set & MOUNT_ATTR__ATIME) != 0) change.clear |= MOUNT_ATTR__ATIME;
  if (change.set == 0 && change.clear == 0 && change.propagation == 0) return;
  struct mount_attr attributes {};
  attributes.attr_set = change.set;
  attributes.attr_clr = change.clear;
  attributes.propagation = change.propagation;
  const unsigned how = AT_EMPTY_PATH | (change.recursive ? AT_RECURSIVE : 0U);
  check_syscall(::syscall(SYS_mount_setattr, mount.get(), "", how, &attributes, sizeof attributes),
                [&] { return str("set the flags of the mount on ", quoted(what)); });
}

}  // namespace

Links links_to(const std::string& target) {
  for (const std::string_view guarded : {"/proc", "/sys", "/dev"}) {
    if (target == guarded || (target.starts_with(guarded) && target[guarded.size()] == '/')) {
      return Links::refuse;
    }
  }
  return Links::follow;
}

void set_flags(const Fd& mount, const MountFlags& flags, const std::string& what) {
  Change deep{flags.deep_attributes, flags.deep_cleared, 0, true};
  Change shallow{flags.attributes, flags.cleared, 0, false};
  (flags.propagation_recursive ? deep : shallow).propagation = flags.propagation;
  change_mount(mount, deep, what);
  change_mount(mount, shallow, what);
}

Fd clone_mount(int directory, const char* path, unsigned flags, const std::string& what) {
  return Fd(static_cast<int>(check_syscall(
      ::syscall(SYS_open_tree, directory, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags),
      [&] { return str("open ", quoted(what)); })));
}

void configure(const Fd& context, const MountData& options, unsigned command,
               const std::function<std::string()>& what) {
  for (const auto& [key, value] : options) {
    const unsigned kind = value.empty() ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
    check_syscall(::syscall(SYS_fsconfig, context.get(), kind, key.c_str(),
                            value.empty() ? nullptr : value.c_str(), 0),
                  [&, name = &key] { return str(what(), " with option ", quoted(*name)); });
  }
  check_syscall(::syscall(SYS_fsconfig, context.get(), command, nullptr, nullptr, 0), what);
}

Fd make_mount(const std::string& type, const std::string& source, const MountData& options,
              std::uint64_t attributes) {
  const auto failed = [&] { return str("mount a ", quoted(type)); };
  const Fd context(
      static_cast<int>(check_syscall(::syscall(SYS_fsopen, type.c_str(), FSOPEN_CLOEXEC), failed)));
  if (!source.empty()) {
    check_syscall(
        ::syscall(SYS_fsconfig, context.get(), FSCONFIG_SET_STRING, "source", source.c_str(), 0),
        failed);
  }
  configure(context, options, FSCONFIG_CMD_CREATE, failed);
  return Fd(static_cast<int>(check_syscall(
      ::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes)),
      failed)));
}

void attach(const Rootfs& root, const Fd& mount, const std::string& target, Links links) {
  const bool directory = S_ISDIR(stat_of(mount, target).st_mode);
  const Fd place =
      directory ? root.ensure_directory(target, links) : root.ensure_file(target, links);
  attach_mount(mount, place, target);
}

void attach(const Rootfs& root, const Fd& mount, const std::string& target) {
  attach(root, mount, target, links_to(target));
}

Fd open_mount(const Rootfs& root, const std::string& target) {
  auto found = root.find(target, links_to(target));
  if (!found) throw SystemError(ENOENT, str("open ", quoted(target), " in the container"));
  return std::move(*found);
}

}  // namespace lade::runner
