#include "runner/mounts.hpp"

#include "base/error.hpp"
#include "base/mount.hpp"
#include "base/text.hpp"
#include "runner/chroot.hpp"
#include "runner/copy_up.hpp"
#include "runner/devices.hpp"
#include "runner/mapped_mount.hpp"
#include "runner/mount_calls.hpp"
#include "runner/octal.hpp"
#include "runner/proc_files.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace lade::runner {

namespace {

/// Cuts a copy of a mount of the host off what it is not to be linked to, and those below it.
void set_link(const Fd& mount, HostLink link, const std::string& what) {
  if (link == HostLink::both) return;
  const std::uint64_t propagation = link == HostLink::receives ? MS_SLAVE : MS_PRIVATE;
  set_flags(mount, {.propagation = propagation, .propagation_recursive = true}, what);
}

/// A younger copy of a mount that was just attached, in the place of which nothing is left.
/// Mountinfo lists mounts by age, and readers take the last one for the topmost.
Fd renew(const Fd& attached, const Fd& proc, const std::string& what) {
  Fd fresh = clone_mount(attached.get(), "", AT_EMPTY_PATH | k_recursive, what);
  const auto failed = [&] { return str("mount ", quoted(what)); };
  // There is no umount by descriptor.
  const Fd before = open_file(".", O_PATH | O_DIRECTORY);
  check_syscall(::fchdir(open_in_proc(proc, "self/fd", O_PATH | O_DIRECTORY).get()), failed);
  check_syscall(::umount2(str(attached.get()).c_str(), MNT_DETACH), failed);
  check_syscall(::fchdir(before.get()), failed);
  return fresh;
}

}  // namespace

Fd open_bind_source(const step::BindMount& bind) {
  Fd mount = clone_mount(AT_FDCWD, bind.source.c_str(), bind.with_submounts ? k_recursive : 0U,
                         bind.source);
  if (!bind.uid_mappings.empty()) {
    map_owners(mount, bind.uid_mappings, bind.gid_mappings,
               bind.maps_submounts ? MappedMounts::all : MappedMounts::topmost, bind.source);
  }
  return mount;
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
  try {
    return make_mount("proc", "proc", {}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  } catch (SystemError& error) {
    if (error.code() == EPERM) {
      error.set_hint(
          "in a user namespace this needs a process id namespace of its own, and a `/proc` on the "
          "host that nothing is mounted over");
    }
    throw;
  }
}

Rootfs attach_root(const step::AttachRoot& step) {
  Fd mount;
  if (const auto* directory = std::get_if<RootDirectory>(&step.source)) {
    mount = clone_mount(AT_FDCWD, directory->path.c_str(), k_recursive, directory->path);
    if (!S_ISDIR(stat_of(mount, directory->path).st_mode)) {
      throw SystemError(ENOTDIR, str("open root directory ", quoted(directory->path)));
    }
  } else {
    mount = make_overlay_mount(std::get<OverlayConfig>(step.source));
  }
  // On top of the root, where no directory of the host need exist for it. This process still has
  // the old root below, so host paths keep their meaning until enter_root().
  const Fd place = open_file("/", O_PATH | O_DIRECTORY);
  attach_mount(mount, place, "/");
  set_link(mount, step.link, "/");
  return {std::move(mount), "the container"};
}

void mount_filesystem(const Rootfs& root, const step::MountFilesystem& step,
                      const std::string& label) {
  MountData options = step.options;
  if (!label.empty()) options.emplace_back("context", label);
  // Nobody may be led to a procfs or sysfs that is not where it seems to be.
  const bool trusted = step.type == "proc" || step.type == "sysfs";
  const Links links = trusted ? Links::refuse : links_to(step.target);
  const auto below = root.find(step.target, links);
  const bool has_mode = std::any_of(options.begin(), options.end(),
                                    [](const auto& option) { return option.first == "mode"; });
  if (step.type == "tmpfs" && below && !has_mode) {
    // A tmpfs over a directory looks like it: over /tmp everybody may write.
    options.emplace_back("mode", octal(stat_of(*below, step.target).st_mode & 07777));
  }
  // On a new file system there is nothing below that would tell deep attributes from others.
  const Fd mount = make_mount(step.type, step.source, options,
                              step.flags.deep_attributes | step.flags.attributes);
  if (step.flags.propagation != 0) {
    set_flags(mount, {.propagation = step.flags.propagation, .propagation_recursive = true},
              step.target);
  }
  if (step.copies_up && below) copy_tree(*below, mount, step.target);
  attach(root, mount, step.target, links);
}

void mount_proc(const Rootfs& root, const Fd& proc, const step::MountProc& step) {
  set_flags(proc, step.flags, step.target);
  attach(root, proc, step.target, Links::refuse);
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

void bind_mount(const Rootfs& root, const Fd& proc, const Fd& source, const step::BindMount& step) {
  // The copy is one of the host's peers as yet.
  set_link(source, step.link, step.target);
  attach(root, source, step.target);
  // It was made before the mounts that come before it.
  const Fd mount = renew(source, proc, step.target);
  set_flags(mount, step.flags, step.target);
  attach(root, mount, step.target);
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
  const Fd mount = clone_mount(found->get(), "", AT_EMPTY_PATH | k_recursive, path);
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
