#include "base/temporary_file.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>

namespace lade {

namespace {

std::string random_name() {
  std::array<char, 8> bytes{};
  check_syscall(::getrandom(bytes.data(), bytes.size(), 0),
                [] { return std::string("get random bytes"); });
  return str(".lade-", to_hex({bytes.data(), bytes.size()}), ".tmp");
}

std::string own_path(const Fd& file) {
  return str("/proc/self/fd/", file.get());
}

/// A file without a name that can get one; none where the file system or /proc is not up to it.
Fd try_unnamed(const Directory& directory) {
  Fd file(::openat(directory.fd(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644));
  if (!file.valid() && errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT) {
    throw SystemError(errno, str("make a file in ", quoted(directory.path())));
  }
  if (file.valid() && ::access(own_path(file).c_str(), F_OK) != 0) return {};
  return file;
}

}  // namespace

TemporaryFile::TemporaryFile(const Directory& directory)
    : directory_(duplicate(directory.handle()), directory.path()), file_(try_unnamed(directory)) {
  if (file_.valid()) return;
  name_ = random_name();
  file_ = directory_.open_file(name_, O_RDWR | O_CREAT | O_EXCL, 0644);
}

TemporaryFile::~TemporaryFile() {
  if (!name_.empty()) ::unlinkat(directory_.fd(), name_.c_str(), 0);
}

/// Gives it a hidden name, which a rename can replace a file with.
std::string TemporaryFile::link_hidden() {
  const std::string name = random_name();
  check_syscall(
      ::linkat(AT_FDCWD, own_path(file_).c_str(), directory_.fd(), name.c_str(), AT_SYMLINK_FOLLOW),
      [&] { return str("link ", quoted(directory_.path_of(name))); });
  return name;
}

void TemporaryFile::publish(const std::string& name, Existing existing) {
  const std::string path = directory_.path_of(name);
  check_syscall(::fsync(file_.get()), [&] { return str("fsync ", quoted(path)); });
  if (name_.empty()) name_ = link_hidden();
  unsigned flags = RENAME_NOREPLACE;
  if (existing == Existing::replace) flags = 0;
  const auto rename = [&] {
    return ::renameat2(directory_.fd(), name_.c_str(), directory_.fd(), name.c_str(), flags) == 0;
  };
  bool is_done = rename();
  if (!is_done && errno == EEXIST) {
    const auto there = directory_.find_stat(name);
    if (there && !(S_ISREG(there->st_mode) && there->st_size == 0)) {
      throw SystemError(EEXIST, str("write ", quoted(path)));
    }
    flags = 0;
    is_done = rename();
  }
  if (!is_done) throw SystemError(errno, str("write ", quoted(path)));
  name_.clear();
  directory_.sync();
}

Fd open_unnamed(const Directory& directory) {
  const int number = ::openat(directory.fd(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
  if (number >= 0) return Fd(number);
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT) {
    throw SystemError(errno, str("make a file in ", quoted(directory.path())));
  }
  const std::string name = random_name();
  Fd file = directory.open_file(name, O_RDWR | O_CREAT | O_EXCL, 0600);
  directory.remove_file(name);
  return file;
}

}  // namespace lade
