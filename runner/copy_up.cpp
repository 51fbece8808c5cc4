#include "runner/copy_up.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <vector>

namespace lade::runner {

namespace {

/// Deeper than any image; bounds the descriptors that are open at once.
constexpr int k_deepest = 100;

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

/// Copies one tree. Names are never followed if they are links.
class Copier {
 public:
  explicit Copier(const std::string& what) : what_(what) {}

  void copy_directory(const Fd& from, const Fd& to, int depth) {
    if (depth > k_deepest) throw Error(str(failed(), ": directories nested too deep"));
    const struct stat st = stat_of(from, what_);
    for (const std::string& name : names_in(from)) copy(from, to, name, st.st_dev, depth);
    check_syscall(::fchown(to.get(), st.st_uid, st.st_gid), [&] { return failed(); });
    check_syscall(::fchmod(to.get(), st.st_mode & 07777), [&] { return failed(); });
    copy_attributes(from, to);
    set_times(to, "", st);
  }

 private:
  std::string failed() const { return str("copy what is in ", quoted(what_)); }

  std::vector<std::string> names_in(const Fd& directory) const {
    Fd again(check_syscall(::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                           [&] { return failed(); }));
    const std::unique_ptr<DIR, CloseDirectory> list(::fdopendir(again.get()));
    if (!list) throw SystemError(errno, failed());
    again.release();
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(list.get())) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    return names;
  }

  void copy(const Fd& from, const Fd& to, const std::string& name, dev_t device, int depth) {
    struct stat st {};
    check_syscall(::fstatat(from.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW),
                  [&] { return failed(); });
    switch (st.st_mode & S_IFMT) {
      case S_IFDIR:
        copy_child_directory(from, to, name, st.st_dev == device, depth);
        return;
      case S_IFREG:
        copy_file(from, to, name, st);
        return;
      case S_IFLNK:
        copy_link(from, to, name);
        break;
      case S_IFSOCK:
        return;
      default:
        // A user namespace can make no devices; they are of no use on a tmpfs without them either.
        if (::mknodat(to.get(), name.c_str(), st.st_mode, st.st_rdev) != 0) {
          if (errno == EPERM) return;
          throw SystemError(errno, failed());
        }
    }
    check_syscall(::fchownat(to.get(), name.c_str(), st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW),
                  [&] { return failed(); });
    set_times(to, name, st);
  }

  void copy_child_directory(const Fd& from, const Fd& to, const std::string& name, bool same_mount,
                            int depth) {
    check_syscall(::mkdirat(to.get(), name.c_str(), 0700), [&] { return failed(); });
    constexpr int k_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    const Fd child_from(
        check_syscall(::openat(from.get(), name.c_str(), k_flags), [&] { return failed(); }));
    const Fd child_to(
        check_syscall(::openat(to.get(), name.c_str(), k_flags), [&] { return failed(); }));
    if (same_mount) copy_directory(child_from, child_to, depth + 1);
  }

  void copy_file(const Fd& from, const Fd& to, const std::string& name, const struct stat& st) {
    const Fd source(check_syscall(
        ::openat(from.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC),
        [&] { return failed(); }));
    const Fd target(
        check_syscall(::openat(to.get(), name.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600),
                      [&] { return failed(); }));
    constexpr std::size_t k_piece = 1U << 30;
    while (check_syscall(::sendfile(target.get(), source.get(), nullptr, k_piece),
                         [&] { return failed(); }) > 0) {
    }
    check_syscall(::fchown(target.get(), st.st_uid, st.st_gid), [&] { return failed(); });
    check_syscall(::fchmod(target.get(), st.st_mode & 07777), [&] { return failed(); });
    copy_attributes(source, target);
    set_times(target, "", st);
  }

  void copy_link(const Fd& from, const Fd& to, const std::string& name) {
    std::array<char, PATH_MAX> text{};
    const ssize_t length =
        check_syscall(::readlinkat(from.get(), name.c_str(), text.data(), text.size() - 1),
                      [&] { return failed(); });
    text[static_cast<std::size_t>(length)] = '\0';
    check_syscall(::symlinkat(text.data(), to.get(), name.c_str()), [&] { return failed(); });
  }

  /// What the new file system does not take (a quota, a label) is not copied.
  void copy_attributes(const Fd& from, const Fd& to) {
    std::array<char, 65536> names{};
    const ssize_t length = ::flistxattr(from.get(), names.data(), names.size());
    std::vector<char> value(65536);
    for (ssize_t at = 0; at < length;) {
      const char* name = names.data() + at;
      at += static_cast<ssize_t>(std::string_view(name).size() + 1);
      const ssize_t size = ::fgetxattr(from.get(), name, value.data(), value.size());
      if (size >= 0) ::fsetxattr(to.get(), name, value.data(), static_cast<std::size_t>(size), 0);
    }
  }

  /// With an empty name, of the descriptor's own file.
  void set_times(const Fd& directory, const std::string& name, const struct stat& st) {
    const std::array<timespec, 2> times{st.st_atim, st.st_mtim};
    if (name.empty()) {
      ::futimens(directory.get(), times.data());
    } else {
      ::utimensat(directory.get(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
    }
  }

  const std::string& what_;
};

}  // namespace

void copy_tree(const Fd& from, const Fd& to, const std::string& what) {
  const auto reopen = [&](const Fd& fd) {
    return Fd(check_syscall(::openat(fd.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                            [&] { return str("open ", quoted(what)); }));
  };
  Copier(what).copy_directory(reopen(from), reopen(to), 0);
}

}  // namespace lade::runner
