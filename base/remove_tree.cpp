// Removing a tree that somebody else made: of any depth and width, with links in it, and perhaps
// with something mounted in it.
#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include <linux/openat2.h>

namespace lade {

namespace {

/// How many directories are held open at a time. What lies deeper is moved up first.
constexpr std::size_t k_open_levels = 64;

struct CloseDir {
  void operator()(DIR* dir) const noexcept { ::closedir(dir); }
};

/// A directory that is being emptied. It is held open, so that one that is renamed under our feet
/// cannot lead elsewhere.
struct Level {
  std::unique_ptr<DIR, CloseDir> dir;
  std::string name;
  bool progress = false;  ///< whether anything was removed since the last rewind

  int fd() const { return ::dirfd(dir.get()); }
};

/// Opens a directory if nothing is mounted on it, be it of the same file system.
int open_unmounted(int parent, const char* name, int flags) {
  struct open_how how {};
  how.flags = static_cast<unsigned>(flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
  return static_cast<int>(::syscall(SYS_openat2, parent, name, &how, sizeof how));
}

/// Lets the owner read and change a directory, which an image may forbid; root needs none of it.
void make_accessible(int parent, const char* name) {
  const Fd path(open_unmounted(parent, name, O_PATH));
  if (path.valid()) ::chmod(str("/proc/self/fd/", path.get()).c_str(), 0700);
}

class TreeRemover {
 public:
  TreeRemover(int parent, std::string name, std::string path)
      : parent_(parent), path_(std::move(path)) {
    levels_.push_back(enter(parent_, std::move(name)));
  }

  void run() {
    while (!levels_.empty()) {
      Level& level = levels_.back();
      const dirent* entry = next_entry(level);
      if (entry == nullptr) {
        leave();
      } else if (entry->d_type != DT_DIR && remove_file(level, entry->d_name)) {
        level.progress = true;
      } else if (levels_.size() < k_open_levels) {
        levels_.push_back(enter(level.fd(), entry->d_name));
      } else {
        move_up(level, entry->d_name);
      }
    }
  }

 private:
  [[noreturn]] void fail(int code, std::string_view name) const {
    throw SystemError(code, str("remove ", quoted(name), " in ", quoted(path_)));
  }

  Level enter(int parent, std::string name) const {
    int number = open_unmounted(parent, name.c_str(), O_RDONLY);
    if (number < 0 && errno == EACCES) {
      make_accessible(parent, name.c_str());
      number = open_unmounted(parent, name.c_str(), O_RDONLY);
    }
    if (number < 0 && errno == EXDEV) {
      throw SystemError(EBUSY, str("remove ", quoted(name), " in ", quoted(path_),
                                   ": something is mounted there"));
    }
    Fd fd(number);
    if (!fd.valid()) fail(errno, name);
    const struct stat st = stat_of(fd, name);
    if ((st.st_mode & S_IRWXU) != S_IRWXU) ::fchmod(fd.get(), 0700);
    Level level{std::unique_ptr<DIR, CloseDir>(::fdopendir(fd.get())), std::move(name)};
    if (!level.dir) fail(errno, level.name);
    fd.release();
    return level;
  }

  const dirent* next_entry(const Level& level) const {
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(level.dir.get());
      if (entry == nullptr && errno != 0) fail(errno, level.name);
      if (entry == nullptr) return nullptr;
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") return entry;
    }
  }

  /// Whether it is gone; not if it is a directory after all.
  bool remove_file(const Level& level, const char* name) const {
    if (::unlinkat(level.fd(), name, 0) == 0 || errno == ENOENT) return true;
    if (errno == EISDIR) return false;
    fail(errno, name);
  }

  /// Removes the emptied directory, or reads it again: entries may have come while it was read,
  /// above all by move_up().
  void leave() {
    Level& level = levels_.back();
    const int parent = levels_.size() > 1 ? levels_[levels_.size() - 2].fd() : parent_;
    if (::unlinkat(parent, level.name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) {
      levels_.pop_back();
      if (!levels_.empty()) levels_.back().progress = true;
      return;
    }
    if ((errno != ENOTEMPTY && errno != EEXIST) || !level.progress) fail(errno, level.name);
    level.progress = false;
    ::rewinddir(level.dir.get());
  }

  /// Moves a directory to the top of the tree, to be removed from there.
  void move_up(Level& level, const std::string& name) {
    Level& top = levels_.front();
    for (;;) {
      const std::string moved = str(".removed-", moved_++);
      if (::renameat(level.fd(), name.c_str(), top.fd(), moved.c_str()) == 0) break;
      const bool taken = errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR;
      if (errno == EBUSY) fail(EBUSY, name);
      if (!taken) fail(errno, name);
    }
    level.progress = true;
    top.progress = true;
  }

  int parent_;
  std::string path_;
  std::vector<Level> levels_;
  std::uint64_t moved_ = 0;
};

}  // namespace

bool Directory::remove_tree(const std::string& name) const {
  const auto st = find_stat(name);
  if (!st) return false;
  if (!S_ISDIR(st->st_mode)) return remove_file(name);
  TreeRemover(fd(), name, path_of(name)).run();
  return true;
}

}  // namespace lade
