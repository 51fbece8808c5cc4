// Mounts, by descriptors only: a mount is made detached and then attached to a target that was
// resolved within the container's root. Parent half: what must be looked at before the clone.
#pragma once

#include "base/fd.hpp"
#include "runner/plan.hpp"
#include "runner/rootfs.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lade::runner {

/// Parent: a detached copy of a file or directory of the host with its mount.
Fd open_bind_source(const step::BindMount& bind);

/// Child: keeps the mounts of this namespace to itself; the host's still arrive until pivot_root.
void isolate_mounts();

/// Child: a detached procfs of this process's pid namespace.
Fd make_proc_mount();

/// Child: attaches the root over the old one and opens it.
Rootfs attach_root(const step::AttachRoot& step);

/// Child: a new file system with this SELinux label, or none if it is empty.
void mount_filesystem(const Rootfs& root, const step::MountFilesystem& step,
                      const std::string& label);

/// Child: the steps of the same names.
void mount_proc(const Rootfs& root, const Fd& proc, const step::MountProc& step);
void remount(const Rootfs& root, const step::Remount& step);
void make_mount_readonly(const Rootfs& root, const step::ReadonlyMount& step);
void set_root_propagation(const Rootfs& root, const step::SetRootPropagation& step);
void bind_mount(const Rootfs& root, const Fd& proc, const Fd& source, const step::BindMount& step);
void provide_file(const Rootfs& root, const step::ProvideFile& step);
void enter_root(const Rootfs& root);
void make_root_readonly(const Rootfs& root);
void make_path_readonly(const Rootfs& root, const std::string& path);

/// Child: hides paths. Keeps the one empty directory that it shows in place of all hidden ones.
class Masker {
 public:
  void mask(const Rootfs& root, const std::string& path);

 private:
  Fd empty_;
};

}  // namespace lade::runner
