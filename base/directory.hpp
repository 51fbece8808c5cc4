// Directories by descriptor. Everything below a directory is reached through its descriptor, so
// that no path is resolved twice; paths that come from an image go through resolve_in_root() only.
#pragma once

#include "base/fd.hpp"

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade {

/// An open directory.
class Directory {
 public:
  Directory() = default;
  /// Takes a descriptor of a directory and the name to use in messages.
  Directory(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  /// Opens an existing directory by path. Throws SystemError.
  static Directory open(const std::string& path);

  /// Opens a directory, made with its missing parents and `mode` (whatever the umask) if need be.
  static Directory ensure(const std::string& path, mode_t mode);

  int fd() const noexcept { return fd_.get(); }
  const Fd& handle() const noexcept { return fd_; }
  /// Where it was opened, for messages and for mounts.
  const std::string& path() const noexcept { return path_; }
  /// The path of `name` in here, for messages and for mounts.
  std::string path_of(std::string_view name) const;

  /// Opens a directory right below; `name` is one component, never a link.
  Directory child(const std::string& name) const;
  /// child(), made with `mode` (whatever the umask) if it is not there.
  Directory ensure_child(const std::string& name, mode_t mode) const;

  /// openat() of one component: O_CLOEXEC and O_NOFOLLOW are added.
  Fd open_file(const std::string& name, int flags, mode_t mode = 0) const;
  /// open_file(), or nothing if it does not exist.
  std::optional<Fd> find_file(const std::string& name, int flags) const;

  /// openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS): `path` as a process whose root is this
  /// directory would see it. The only way by which a path from an image is resolved.
  Fd resolve_in_root(const std::string& path, int flags, mode_t mode = 0) const;
  /// resolve_in_root(), or nothing on ENOENT and ENOTDIR.
  std::optional<Fd> find_in_root(const std::string& path, int flags) const;

  /// fstatat() without following links; nothing if it does not exist.
  std::optional<struct stat> find_stat(const std::string& name) const;
  bool exists(const std::string& name) const { return find_stat(name).has_value(); }

  /// The names in here, sorted, without `.` and `..`.
  std::vector<std::string> list() const;

  /// Renames `from` in here to `to` in `target`, replacing a file there.
  void rename(const std::string& from, const Directory& target, const std::string& to) const;
  /// Unlinks a file; whether there was one.
  bool remove_file(const std::string& name) const;
  /// Removes `name` and all below it without following links and without entering another file
  /// system (a mount point below is an error, and is left alone). Whether there was one.
  bool remove_tree(const std::string& name) const;

  /// Writes a whole file under a temporary name, fsyncs it and renames it to `name`.
  void write_file(const std::string& name, std::string_view content, mode_t mode) const;

  /// The same without a flush: for what may be lost with the machine.
  void replace_file(const std::string& name, std::string_view content, mode_t mode) const;

  /// fsync() of the directory itself, so that renames in it are durable.
  void sync() const;

 private:
  Fd fd_;
  std::string path_;
};

}  // namespace lade
