#include "runner/mounts.hpp"

#include "base/error.hpp"
#include "base/mount.hpp"
#include "base/text.hpp"
#include "runner/chroot.hpp"
#include "runner/devices.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace lade::runner {

namespace {

#ifndef AT_RECURSIVE
constexpr unsigned AT_RECURSIVE = 0x8000;
#endif

/// Below these nothing of an image may redirect a mount: what is found there is trusted later on.
Links links_to(const std::string& target) {
  for (const std::string_view guarded : {"/proc", "/sys", "/dev"}) {
    if (target == guarded || (target.starts_with(guarded) && target[guarded.size()] == '/')) {
      return Links::refuse;
    }
  }
  return Links::follow;
}

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

/// Gives a file system context its options and tells it what to do with them.
template <class What>
void configure(const Fd& context, const std::vector<std::pair<std::string, std::string>>& options,
               unsigned command, What&& what) {
  for (const auto& [key, value] : options) {
    const unsigned kind = value.empty() ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
    check_syscall(::syscall(SYS_fsconfig, context.get(), kind, key.c_str(),
                            value.empty() ? nullptr : value.c_str(), 0),
                  [&, name = &key] { return str(what(), " with option ", quoted(*name)); });
  }
  check_syscall(::syscall(SYS_fsconfig, context.get(), command, nullptr, nullptr, 0), what);
}

/// A new detached file system.
Fd make_mount(const std::string& type, const std::string& source,
              const std::vector<std::pair<std::string, std::string>>& options,
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

/// Attaches a detached mount within the root, at a target that fits what is mounted.
void attach(const Rootfs& root, const Fd& mount, const std::string& target) {
  const Links links = links_to(target);
  const bool directory = S_ISDIR(stat_of(mount, target).st_mode);
  const Fd place =
      directory ? root.ensure_directory(target, links) : root.ensure_file(target, links);
  attach_mount(mount, place, target);
}

/// The mount that is on top at `target`.
Fd open_mount(const Rootfs& root, const std::string& target) {
  auto found = root.find(target, links_to(target));
  if (!found) throw SystemError(ENOENT, str("open ", quoted(target), " in the container"));
  return std::move(*found);
}

}  // namespace

Fd open_bind_source(const step::BindMount& bind) {
  return clone_mount(AT_FDCWD, bind.source.c_str(), bind.with_submounts ? AT_RECURSIVE : 0U,
                     bind.source);
}

void isolate_mounts() {
  // Slave rather than private: an unmount on the host must not be held up by a container.
  const auto failed = [] { return std::string("stop mounts from reaching the host"); };
  const Fd old_root = open_file("/", O_PATH | O_DIRECTORY);
  const bool chrooted = !root_is_mount();
  if (chrooted) leave_chroot();
  check_syscall(::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr), failed);
  if (!chrooted) return;
  // Back, so that host paths mean what they meant to the parent.
  check_syscall(::fchdir(old_root.get()), failed);
  check_syscall(::chroot("."), failed);
}

Fd make_proc_mount() {
  return make_mount("proc", "proc", {}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

Rootfs attach_root(const RootfsSource& source) {
  Fd mount;
  if (const auto* directory = std::get_if<RootDirectory>(&source)) {
    mount = clone_mount(AT_FDCWD, directory->path.c_str(), AT_RECURSIVE, directory->path);
    if (!S_ISDIR(stat_of(mount, directory->path).st_mode)) {
      throw SystemError(ENOTDIR, str("open root directory ", quoted(directory->path)));
    }
  } else {
    mount = make_overlay_mount(std::get<OverlayConfig>(source));
  }
  // On top of the root, where no directory of the host need exist for it. This process still has
  // the old root below, so host paths keep their meaning until enter_root().
  const Fd place = open_file("/", O_PATH | O_DIRECTORY);
  attach_mount(mount, place, "/");
  set_flags(mount, {.propagation = MS_PRIVATE, .propagation_recursive = true}, "/");
  return {std::move(mount), "the container"};
}

void mount_filesystem(const Rootfs& root, const step::MountFilesystem& step) {
  // On a new file system there is nothing below that would tell deep attributes from others.
  const Fd mount = make_mount(step.type, step.source, step.options,
                              step.flags.deep_attributes | step.flags.attributes);
  if (step.flags.propagation != 0) {
    set_flags(mount, {.propagation = step.flags.propagation, .propagation_recursive = true},
              step.target);
  }
  attach(root, mount, step.target);
}

void mount_proc(const Rootfs& root, const Fd& proc, const step::MountProc& step) {
  set_flags(proc, step.flags, step.target);
  attach(root, proc, step.target);
}

void mount_cgroups(const Rootfs& root, const std::vector<CgroupHierarchy>& hierarchies,
                   const step::MountCgroups& step) {
  const auto mount_one = [&](const CgroupHierarchy& hierarchy) {
    std::vector<std::pair<std::string, std::string>> options;
    for (const std::string& option : hierarchy.controllers) {
      if (hierarchy.version == 2) break;  // all that it has is one mount
      const auto equals = option.find('=');
      options.emplace_back(option.substr(0, equals),
                           equals == std::string::npos ? "" : option.substr(equals + 1));
    }
    return make_mount(hierarchy.version == 2 ? "cgroup2" : "cgroup", "cgroup", options,
                      step.flags.attributes);
  };
  if (hierarchies.size() == 1 && hierarchies[0].name.empty()) {
    attach(root, mount_one(hierarchies[0]), step.target);
    return;
  }
  // The directory itself is made read-only last, when it is full.
  const Fd top = make_mount("tmpfs", "tmpfs", {{"mode", "755"}},
                            step.flags.attributes & ~std::uint64_t{MOUNT_ATTR_RDONLY});
  attach(root, top, step.target);
  for (const CgroupHierarchy& hierarchy : hierarchies) {
    if (hierarchy.name.empty()) continue;
    attach(root, mount_one(hierarchy), str(step.target, '/', hierarchy.name));
    if (hierarchy.name.find(',') == std::string::npos) continue;
    for (const std::string& controller : split(hierarchy.name, ',')) {
      check_syscall(::symlinkat(hierarchy.name.c_str(), top.get(), controller.c_str()),
                    [&] { return str("link cgroup ", quoted(controller)); });
    }
  }
  set_flags(top, {.attributes = step.flags.attributes & MOUNT_ATTR_RDONLY}, step.target);
}

void remount(const Rootfs& root, const step::Remount& step) {
  const Fd mount = open_mount(root, step.target);
  const auto failed = [&] { return str("remount ", quoted(step.target)); };
  if (!step.options.empty()) {
    const Fd context(static_cast<int>(check_syscall(
        ::syscall(SYS_fspick, mount.get(), "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC), failed)));
    configure(context, step.options, FSCONFIG_CMD_RECONFIGURE, failed);
  }
  set_flags(mount, step.flags, step.target);
}

void make_mount_readonly(const Rootfs& root, const step::ReadonlyMount& step) {
  set_flags(open_mount(root, step.target), {.attributes = MOUNT_ATTR_RDONLY}, step.target);
}

void set_root_propagation(const Rootfs& root, const step::SetRootPropagation& step) {
  set_flags(root.handle(), step.flags, "/");
}

void bind_mount(const Rootfs& root, const Fd& source, const step::BindMount& step) {
  set_flags(source, step.flags, step.target);
  attach(root, source, step.target);
}

void provide_file(const Rootfs& root, const step::ProvideFile& step) {
  // The file lives on, without a name, in the container's own /dev, which is a tmpfs of ours by
  // now: a file of a detached tmpfs could not be mounted before Linux 6.15.
  const std::string name = ".provided";
  const Fd dev = root.ensure_directory("/dev", Links::refuse);
  const Fd file(check_syscall(
      ::openat(dev.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644),
      [&] { return str("make ", quoted(step.target)); }));
  write_all(file, as_bytes(step.content), step.target);
  attach(root, clone_mount(dev.get(), name.c_str(), AT_SYMLINK_NOFOLLOW, step.target), step.target);
  check_syscall(::unlinkat(dev.get(), name.c_str(), 0),
                [&] { return str("make ", quoted(step.target)); });
}

void enter_root(const Rootfs& root) {
  const auto failed = [] { return std::string("make the container's root the root directory"); };
  if (!root_is_mount()) leave_chroot();
  const Fd old_root = open_file("/", O_PATH | O_DIRECTORY);
  check_syscall(::fchdir(root.fd()), failed);
  check_syscall(::syscall(SYS_pivot_root, ".", "."), failed);
  // The old root now lies on top of the new one; leave it, and let no unmount reach the host.
  check_syscall(::fchdir(old_root.get()), failed);
  check_syscall(::mount(nullptr, ".", nullptr, MS_REC | MS_SLAVE, nullptr), failed);
  check_syscall(::umount2(".", MNT_DETACH), failed);
  check_syscall(::chdir("/"), failed);
}

void make_root_readonly(const Rootfs& root) {
  set_flags(root.handle(), {.attributes = MOUNT_ATTR_RDONLY}, "/");
}

void make_path_readonly(const Rootfs& root, const std::string& path) {
  const auto found = root.find(path, Links::refuse);
  if (!found) return;
  const Fd mount = clone_mount(found->get(), "", AT_EMPTY_PATH | AT_RECURSIVE, path);
  set_flags(mount, {.deep_attributes = MOUNT_ATTR_RDONLY}, path);
  attach_mount(mount, *found, path);
}

void Masker::mask(const Rootfs& root, const std::string& path) {
  const auto found = root.find(path, Links::refuse);
  if (!found) return;
  if (S_ISDIR(stat_of(*found, path).st_mode)) {
    if (empty_.valid()) {
      attach_mount(clone_mount(empty_.get(), "", AT_EMPTY_PATH, path), *found, path);
    } else {
      empty_ =
          make_mount("tmpfs", "tmpfs", {{"mode", "755"}, {"nr_blocks", "1"}, {"nr_inodes", "1"}},
                     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
      attach_mount(empty_, *found, path);
    }
    return;
  }
  const Fd mount = clone_mount(open_null_device(root, O_PATH).get(), "", AT_EMPTY_PATH, path);
  set_flags(mount, {.attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC}, path);
  attach_mount(mount, *found, path);
}

}  // namespace lade::runner
