#include "runner/rootfs.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/proc_files.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

namespace lade::runner {

namespace {

/// A path split before its last component, which is neither empty nor a dot.
struct Split {
  std::string parent;
  std::string name;
};

Split split_path(const std::string& path) {
  const auto last = path.find_last_not_of('/');
  if (last == std::string::npos)
    throw Error(str("make ", quoted(path), ": there is no root directory"));
  const auto slash = path.find_last_of('/', last);
  Split result;
  result.name =
      slash == std::string::npos ? path.substr(0, last + 1) : path.substr(slash + 1, last - slash);
  result.parent = slash == std::string::npos ? "/" : path.substr(0, slash);
  if (result.parent.empty()) result.parent = "/";
  if (result.name == "." || result.name == "..") {
    throw Error(str("make ", quoted(path), ": it ends in a dot"));
  }
  return result;
}

}  // namespace

int Rootfs::open_path(const std::string& path, int flags, Links links) const {
  struct open_how how {};
  how.flags = static_cast<unsigned>(O_PATH | O_CLOEXEC | flags);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  if (links == Links::refuse) how.resolve |= RESOLVE_NO_SYMLINKS;
  for (int attempt = 0;; ++attempt) {
    const long fd = ::syscall(SYS_openat2, root_.fd(), path.c_str(), &how, sizeof how);
    // EAGAIN: a rename elsewhere raced with the check; the kernel asks to try again.
    if (fd >= 0 || errno != EAGAIN || attempt == 64) return static_cast<int>(fd);
  }
}

std::optional<Fd> Rootfs::find(const std::string& path, Links links) const {
  const int number = open_path(path, 0, links);
  if (number >= 0) return Fd(number);
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  const int code = errno;
  if (code == ELOOP) {
    // Of those that may be followed, only the magic links of /proc are refused.
    const char* why = links == Links::refuse ? ": a symbolic link is in the way"
                                             : ": it leads over a link of `/proc` or in circles";
    throw Error(str("open ", quoted(path), " in the container", why));
  }
  throw SystemError(code, str("open ", quoted(path), " in the container"));
}

Fd Rootfs::ensure_directory(const std::string& path, Links links) const {
  if (auto found = find(path, links)) {
    if (!S_ISDIR(stat_of(*found, path).st_mode)) {
      throw SystemError(ENOTDIR, str("open ", quoted(path), " in the container"));
    }
    return std::move(*found);
  }
  const auto [parent_path, name] = split_path(path);
  const Fd parent = ensure_directory(parent_path, links);
  if (::mkdirat(parent.get(), name.c_str(), 0755) != 0 && errno != EEXIST) {
    throw SystemError(errno, str("make directory ", quoted(path), " in the container"));
  }
  return Fd(check_syscall(
      ::openat(parent.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
      [&] { return str("open ", quoted(path), " in the container"); }));
}

Fd Rootfs::ensure_file(const std::string& path, Links links) const {
  if (auto found = find(path, links)) {
    if (S_ISDIR(stat_of(*found, path).st_mode)) {
      throw SystemError(EISDIR, str("open ", quoted(path), " in the container"));
    }
    return std::move(*found);
  }
  const auto [parent_path, name] = split_path(path);
  const Fd parent = ensure_directory(parent_path, links);
  // O_EXCL: never through a link that somebody has put there meanwhile.
  const Fd made(
      check_syscall(::openat(parent.get(), name.c_str(),
                             O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644),
                    [&] { return str("make file ", quoted(path), " in the container"); }));
  return Fd(check_syscall(::openat(parent.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC),
                          [&] { return str("open ", quoted(path), " in the container"); }));
}

std::string Rootfs::read_file(const std::string& path, std::size_t cap, const Fd& proc) const {
  const auto found = find(path, Links::follow);
  if (!found) return {};
  if (!S_ISREG(stat_of(*found, path).st_mode)) {
    throw InvalidData(str("read ", quoted(path), " in the container: not a regular file"));
  }
  // To open what was looked at, and not what its name means by now.
  const Fd descriptors = open_in_proc(proc, "self/fd", O_PATH | O_DIRECTORY);
  const std::string again = str(found->get());
  const Fd file(check_syscall(
      ::openat(descriptors.get(), again.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC),
      [&] { return str("open ", quoted(path), " in the container"); }));
  return read_whole(file, cap, path);
}

}  // namespace lade::runner
