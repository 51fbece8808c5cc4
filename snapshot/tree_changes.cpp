#include "snapshot/tree_changes.hpp"

#include "base/error.hpp"
#include "base/stream.hpp"
#include "base/text.hpp"
#include "snapshot/metadata.hpp"
#include "snapshot/path_walk.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

namespace lade::snapshot {

namespace {

bool same_time(const timespec& one, const timespec& other) {
  return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

/// Whether both are the very inode, unchanged: two mounts of one layer, for instance.
bool is_same_inode(const struct stat& one, const struct stat& other) {
  return one.st_ino == other.st_ino && one.st_size == other.st_size &&
         same_time(one.st_ctim, other.st_ctim) && same_time(one.st_mtim, other.st_mtim);
}

bool same_xattrs(std::vector<Xattr> one, std::vector<Xattr> other) {
  const auto key = [](const Xattr& a, const Xattr& b) { return a.name < b.name; };
  std::sort(one.begin(), one.end(), key);
  std::sort(other.begin(), other.end(), key);
  return std::equal(
      one.begin(), one.end(), other.begin(), other.end(),
      [](const Xattr& a, const Xattr& b) { return a.name == b.name && a.value == b.value; });
}

/// A name in a directory.
struct Member {
  const Directory& directory;
  const std::string& name;
  const struct stat& st;

  std::string target() const { return read_link(directory, name); }
  Attributes attributes() const {
    return read_attributes(directory.open_file(name, O_PATH), name, XattrsOf::view);
  }
};

bool same_content(const Member& one, const Member& other, const std::stop_token& stop) {
  const Fd files[2] = {one.directory.open_file(one.name, O_RDONLY),
                       other.directory.open_file(other.name, O_RDONLY)};
  std::vector<std::byte> buffers[2] = {std::vector<std::byte>(k_copy_buffer),
                                       std::vector<std::byte>(k_copy_buffer)};
  for (;;) {
    if (stop.stop_requested()) throw Cancelled();
    const std::size_t size = read_some(files[0], buffers[0], one.name);
    std::size_t filled = 0;
    while (filled < size) {
      const auto rest = std::span(buffers[1]).subspan(filled, size - filled);
      const std::size_t count = read_some(files[1], rest, other.name);
      if (count == 0) return false;
      filled += count;
    }
    if (size == 0) return read_some(files[1], buffers[1], other.name) == 0;
    if (!std::equal(buffers[0].begin(), buffers[0].begin() + static_cast<std::ptrdiff_t>(size),
                    buffers[1].begin())) {
      return false;
    }
  }
}

/// Whether two things of one type differ in themselves; of directories, not in what they hold.
bool differs(const Member& before, const Member& after, const std::stop_token& stop) {
  const struct stat& one = before.st;
  const struct stat& other = after.st;
  const mode_t type = one.st_mode & S_IFMT;
  if (type != S_IFDIR && is_same_inode(one, other)) return false;
  if (one.st_mode != other.st_mode || one.st_uid != other.st_uid || one.st_gid != other.st_gid ||
      !same_time(one.st_mtim, other.st_mtim)) {
    return true;
  }
  if (type == S_IFREG && one.st_size != other.st_size) return true;
  if ((type == S_IFCHR || type == S_IFBLK) && one.st_rdev != other.st_rdev) return true;
  if (type == S_IFLNK && before.target() != after.target()) return true;
  if (!same_xattrs(before.attributes().xattrs, after.attributes().xattrs)) return true;
  return type == S_IFREG && one.st_size > 0 && !same_content(before, after, stop);
}

class Comparison {
 public:
  Comparison(const Directory& before, const Directory& after, const std::stop_token& stop,
             const LeaveOut& leave_out)
      : before_(before), after_(after), stop_(stop), leave_out_(leave_out) {}

  std::vector<Change> run() {
    note_root();
    // Directories wait in a list: a tree may be deeper than there are descriptors.
    waiting_.push_back({"", true});
    while (!waiting_.empty()) {
      if (stop_.stop_requested()) throw Cancelled();
      const Waiting next = std::move(waiting_.back());
      waiting_.pop_back();
      enter(next);
    }
    return in_order();
  }

 private:
  struct Waiting {
    std::string path;
    bool in_both;
  };

  void note_root() {
    const struct stat one = stat_of(before_.handle(), before_.path());
    const struct stat other = stat_of(after_.handle(), after_.path());
    const bool same = one.st_mode == other.st_mode && one.st_uid == other.st_uid &&
                      one.st_gid == other.st_gid && same_time(one.st_mtim, other.st_mtim) &&
                      same_xattrs(read_attributes(before_.handle(), "/", XattrsOf::view).xattrs,
                                  read_attributes(after_.handle(), "/", XattrsOf::view).xattrs);
    if (!same) note(ChangeKind::modified, "");
  }

  static Directory open(const Directory& root, const std::string& path) {
    if (path.empty()) return Directory(duplicate(root.handle()), root.path());
    return Directory(root.resolve_in_root(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
                     root.path_of(path));
  }

  void enter(const Waiting& waiting) {
    const Directory after = open(after_, waiting.path);
    const std::vector<std::string> names = after.list();
    std::vector<std::string> old_names;
    std::optional<Directory> before;
    if (waiting.in_both) {
      before = open(before_, waiting.path);
      old_names = before->list();
    }
    std::vector<std::string> gone;
    std::set_difference(old_names.begin(), old_names.end(), names.begin(), names.end(),
                        std::back_inserter(gone));
    for (const std::string& name : gone) note(ChangeKind::deleted, below(waiting.path, name));
    for (const std::string& name : names) {
      compare_member(before ? &*before : nullptr, after, name, below(waiting.path, name));
    }
  }

  void compare_member(const Directory* before, const Directory& after, const std::string& name,
                      const std::string& path) {
    const auto st = after.find_stat(name);
    if (!st) return;
    const auto old = before != nullptr ? before->find_stat(name) : std::nullopt;
    const bool both_directories = old && S_ISDIR(old->st_mode) && S_ISDIR(st->st_mode);
    if (!old) {
      note(ChangeKind::added, path);
    } else if ((old->st_mode & S_IFMT) != (st->st_mode & S_IFMT) ||
               differs({*before, name, *old}, {after, name, *st}, stop_)) {
      note(ChangeKind::modified, path);
    }
    if (S_ISDIR(st->st_mode)) waiting_.push_back({path, both_directories});
  }

  static std::string below(const std::string& directory, const std::string& name) {
    return directory.empty() ? name : str(directory, '/', name);
  }

  void note(ChangeKind kind, const std::string& path) {
    Change change{kind, path};
    if (!leave_out_ || !leave_out_(change)) changes_.push_back(std::move(change));
  }

  /// The changes, with every directory above one.
  std::vector<Change> in_order();

  const Directory& before_;
  const Directory& after_;
  const std::stop_token& stop_;
  const LeaveOut& leave_out_;
  std::vector<Waiting> waiting_;
  std::vector<Change> changes_;
};

std::vector<Change> Comparison::in_order() {
  std::set<std::string> known;
  for (const Change& change : changes_) known.insert(change.path);
  std::vector<Change> all = changes_;
  for (const Change& change : changes_) {
    std::string path = change.path;
    for (std::size_t slash = path.rfind('/'); slash != std::string::npos; slash = path.rfind('/')) {
      path.resize(slash);
      if (known.insert(path).second) all.push_back({ChangeKind::modified, path});
    }
  }
  std::sort(all.begin(), all.end(),
            [](const Change& one, const Change& other) { return one.path < other.path; });
  return all;
}

}  // namespace

std::vector<Change> compare_trees(const Directory& before, const Directory& after,
                                  const std::stop_token& stop, const LeaveOut& leave_out) {
  return Comparison(before, after, stop, leave_out).run();
}

}  // namespace lade::snapshot
