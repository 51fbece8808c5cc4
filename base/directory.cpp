#include "base/directory.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include <linux/openat2.h>

namespace lade {

namespace {

constexpr int k_open_directory = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;

int open_in_root(int root, const char* path, int flags, mode_t mode) {
  struct open_how how {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? mode : 0;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  for (int attempt = 0;; ++attempt) {
    const long fd = ::syscall(SYS_openat2, root, path, &how, sizeof how);
    // EAGAIN: a rename elsewhere raced with the check; the kernel asks to try again.
    if (fd >= 0 || errno != EAGAIN || attempt == 64) return static_cast<int>(fd);
  }
}

struct CloseDir {
  void operator()(DIR* dir) const noexcept { ::closedir(dir); }
};

std::vector<std::string> names_in(int directory, const std::string& path) {
  Fd copy(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!copy.valid()) throw SystemError(errno, str("list ", quoted(path)));
  const std::unique_ptr<DIR, CloseDir> dir(::fdopendir(copy.get()));
  if (!dir) throw SystemError(errno, str("list ", quoted(path)));
  copy.release();
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr) {
      if (errno != 0) throw SystemError(errno, str("list ", quoted(path)));
      return names;
    }
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

}  // namespace

Directory Directory::open(const std::string& path) {
  return {Fd(check_syscall(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                           [&] { return str("open directory ", quoted(path)); })),
          path};
}

Directory Directory::ensure(const std::string& path, mode_t mode) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) return {Fd(fd), path};
  if (errno != ENOENT) throw SystemError(errno, str("open directory ", quoted(path)));
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return Directory::open(".").ensure_child(path, mode);
  const std::string name = path.substr(slash + 1);
  const Directory parent = slash == 0 ? open("/") : ensure(path.substr(0, slash), 0755);
  if (name.empty()) return ensure(parent.path(), mode);
  Directory made = parent.ensure_child(name, mode);
  made.path_ = path;
  return made;
}

std::string Directory::path_of(std::string_view name) const {
  return path_.ends_with('/') ? str(path_, name) : str(path_, '/', name);
}

Directory Directory::child(const std::string& name) const {
  return {Fd(check_syscall(::openat(fd(), name.c_str(), k_open_directory),
                           [&] { return str("open directory ", quoted(path_of(name))); })),
          path_of(name)};
}

Directory Directory::ensure_child(const std::string& name, mode_t mode) const {
  if (::mkdirat(fd(), name.c_str(), mode) != 0) {
    if (errno != EEXIST) throw SystemError(errno, str("make directory ", quoted(path_of(name))));
    return child(name);
  }
  Directory made = child(name);
  check_syscall(::fchmod(made.fd(), mode), [&] { return str("chmod ", quoted(made.path())); });
  return made;
}

Fd Directory::open_file(const std::string& name, int flags, mode_t mode) const {
  return Fd(check_syscall(::openat(fd(), name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode),
                          [&] { return str("open ", quoted(path_of(name))); }));
}

std::optional<Fd> Directory::find_file(const std::string& name, int flags) const {
  const int number = ::openat(fd(), name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW);
  if (number >= 0) return Fd(number);
  if (errno == ENOENT) return std::nullopt;
  throw SystemError(errno, str("open ", quoted(path_of(name))));
}

Fd Directory::resolve_in_root(const std::string& path, int flags, mode_t mode) const {
  return Fd(check_syscall(open_in_root(fd(), path.c_str(), flags, mode),
                          [&] { return str("open ", quoted(path), " in ", quoted(path_)); }));
}

std::optional<Fd> Directory::find_in_root(const std::string& path, int flags) const {
  const int number = open_in_root(fd(), path.c_str(), flags, 0);
  if (number >= 0) return Fd(number);
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  throw SystemError(errno, str("open ", quoted(path), " in ", quoted(path_)));
}

std::optional<struct stat> Directory::find_stat(const std::string& name) const {
  struct stat st {};
  if (::fstatat(fd(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return st;
  if (errno == ENOENT) return std::nullopt;
  throw SystemError(errno, str("stat ", quoted(path_of(name))));
}

std::vector<std::string> Directory::list() const {
  auto names = names_in(fd(), path_);
  std::sort(names.begin(), names.end());
  return names;
}

void Directory::rename(const std::string& from, const Directory& target,
                       const std::string& to) const {
  check_syscall(::renameat(fd(), from.c_str(), target.fd(), to.c_str()), [&] {
    return str("rename ", quoted(path_of(from)), " to ", quoted(target.path_of(to)));
  });
}

bool Directory::remove_file(const std::string& name) const {
  if (::unlinkat(fd(), name.c_str(), 0) == 0) return true;
  if (errno == ENOENT) return false;
  throw SystemError(errno, str("remove ", quoted(path_of(name))));
}

namespace {

enum class Flush { yes, no };

/// A whole file under a temporary name, renamed to `name`.
void write_and_rename(const Directory& directory, const std::string& name, std::string_view content,
                      mode_t mode, Flush flush) {
  const std::string temporary = str(".", name, ".", ::getpid());
  try {
    const std::string path = directory.path_of(temporary);
    const Fd file = directory.open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode);
    check_syscall(::fchmod(file.get(), mode), [&] { return str("chmod ", quoted(path)); });
    write_all(file, as_bytes(content), path);
    if (flush == Flush::yes) {
      check_syscall(::fsync(file.get()), [&] { return str("fsync ", quoted(path)); });
    }
    directory.rename(temporary, directory, name);
  } catch (...) {
    ::unlinkat(directory.fd(), temporary.c_str(), 0);
    throw;
  }
}

}  // namespace

void Directory::write_file(const std::string& name, std::string_view content, mode_t mode) const {
  write_and_rename(*this, name, content, mode, Flush::yes);
}

void Directory::replace_file(const std::string& name, std::string_view content, mode_t mode) const {
  write_and_rename(*this, name, content, mode, Flush::no);
}

void Directory::sync() const {
  check_syscall(::fsync(fd()), [&] { return str("fsync ", quoted(path_)); });
}

}  // namespace lade
