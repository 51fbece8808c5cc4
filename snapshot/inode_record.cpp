#include "snapshot/inode_record.hpp"

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "snapshot/layer_path.hpp"
#include "snapshot/layer_tree.hpp"
#include "snapshot/path_walk.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

namespace lade::snapshot {

namespace {

constexpr std::size_t k_xattr_cap = 65536;  // XATTR_SIZE_MAX and XATTR_LIST_MAX

InodeType type_of(const struct stat& st) {
  switch (st.st_mode & S_IFMT) {
    case S_IFDIR:
      return InodeType::directory;
    case S_IFLNK:
      return InodeType::link;
    case S_IFCHR:
      return InodeType::character;
    case S_IFBLK:
      return InodeType::block;
    case S_IFIFO:
      return InodeType::fifo;
    case S_IFSOCK:
      return InodeType::socket;
    default:
      return InodeType::file;
  }
}

std::string digest_of(const Directory& parent, const std::string& name,
                      const std::stop_token& stop) {
  const Fd file = parent.open_file(name, O_RDONLY | O_NONBLOCK);
  Hasher hasher(HashAlgorithm::sha256);
  std::vector<std::byte> buffer(4 * k_copy_buffer);
  while (const std::size_t count = read_some(file, buffer, parent.path_of(name))) {
    hasher.update(std::span(buffer).first(count));
    if (stop.stop_requested()) throw Cancelled();
  }
  return hasher.finish_hex();
}

/// Goes through everything below a directory, each thing before what is in it; keeps no more than
/// one directory open.
class Walk {
 public:
  using Visit = std::function<void(const std::string& path, const Directory& parent,
                                   const std::string& name, const struct stat& st)>;
  Walk(const Directory& root, const std::stop_token& stop, const Visit& visit)
      : root_(root), stop_(stop), visit_(visit) {}

  void run() {
    push("");
    while (!levels_.empty()) step();
  }

 private:
  /// A directory that is being gone through.
  struct Level {
    std::string path;
    std::vector<std::string> names;
    std::size_t next = 0;
  };

  void push(const std::string& path) {
    directory_ = open_without_links(root_, path);
    levels_.push_back({path, directory_.list(), 0});
  }

  void step() {
    Level& level = levels_.back();
    if (stop_.stop_requested()) throw Cancelled();
    if (level.next == level.names.size()) {
      levels_.pop_back();
      if (!levels_.empty()) directory_ = open_without_links(root_, levels_.back().path);
      return;
    }
    const std::string name = level.names[level.next++];
    const auto st = directory_.find_stat(name);
    if (!st) throw NotFound(str(quoted(directory_.path_of(name)), " vanished"));
    const std::string path = join_path(level.path, name);
    visit_(path, directory_, name, *st);
    if (S_ISDIR(st->st_mode)) push(path);
  }

  const Directory& root_;
  const std::stop_token& stop_;
  const Visit& visit_;
  std::vector<Level> levels_;
  Directory directory_;  // of the last level
};

InodeRecord record_of(const Directory& parent, const std::string& name, const struct stat& st,
                      const ContentDigests& known, const std::stop_token& stop) {
  InodeRecord record;
  record.type = type_of(st);
  record.size = static_cast<std::uint64_t>(st.st_size);
  record.uid = st.st_uid;
  record.gid = st.st_gid;
  record.mode = st.st_mode & 07777U;
  record.links = st.st_nlink;
  record.mtime = st.st_mtim.tv_sec;
  if (*record.type == InodeType::link) record.target = read_link(parent, name);
  if (*record.type == InodeType::file) {
    const auto digest = known.find(st.st_ino);
    record.sha256 = digest != known.end() ? digest->second : digest_of(parent, name, stop);
  }
  record.xattrs = read_xattrs(str("/proc/self/fd/", parent.fd(), '/', name),
                              XattrLinks::not_followed, parent.path_of(name));
  record.whiteout = is_whiteout(st);
  return record;
}

template <class Value>
bool differ(const std::optional<Value>& a, const std::optional<Value>& b) {
  return a && b && *a != *b;
}

bool is_changed(const InodeRecord& before, const InodeRecord& now) {
  if (differ(before.type, now.type) || differ(before.uid, now.uid) || differ(before.gid, now.gid) ||
      differ(before.mode, now.mode) || differ(before.mtime, now.mtime) ||
      before.target != now.target || before.xattrs != now.xattrs) {
    return true;
  }
  if (now.type == InodeType::directory) return false;
  const bool other_content =
      !before.sha256.empty() && !now.sha256.empty() && before.sha256 != now.sha256;
  return other_content || differ(before.size, now.size) || differ(before.links, now.links);
}

}  // namespace

std::map<std::string, std::string> read_xattrs(const std::string& path, XattrLinks links,
                                               const std::string& what) {
  std::map<std::string, std::string> result;
  const bool follow = links == XattrLinks::followed;
  const auto list_names = [&](char* buffer, std::size_t size) {
    return follow ? ::listxattr(path.c_str(), buffer, size)
                  : ::llistxattr(path.c_str(), buffer, size);
  };
  const ssize_t length = list_names(nullptr, 0);
  if (length == 0 || (length < 0 && errno == ENOTSUP)) return result;
  std::string list(k_xattr_cap, '\0');
  const ssize_t listed = check_syscall(list_names(list.data(), list.size()), [&] {
    return str("list extended attributes of ", quoted(what));
  });
  list.resize(static_cast<std::size_t>(listed));
  for (const std::string& name : split(list, '\0')) {
    if (name.empty()) continue;
    std::string value(k_xattr_cap, '\0');
    const ssize_t size =
        check_syscall(follow ? ::getxattr(path.c_str(), name.c_str(), value.data(), value.size())
                             : ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size()),
                      [&] { return str("read ", quoted(name), " of ", quoted(what)); });
    result.emplace(name, value.substr(0, static_cast<std::size_t>(size)));
  }
  return result;
}

bool WalkOrder::operator()(std::string_view a, std::string_view b) const {
  // A slash comes before everything else.
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c) + 1; };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [&](char x, char y) { return rank(x) < rank(y); });
}

void walk_tree(const Directory& root, const ContentDigests& known, const std::stop_token& stop,
               const std::function<void(const std::string& path, const InodeRecord&)>& visit) {
  const struct stat st = stat_of(root.handle(), root.path());
  visit("", record_of(root, ".", st, known, stop));
  const Walk::Visit record = [&](const std::string& path, const Directory& parent,
                                 const std::string& name, const struct stat& found) {
    visit(path, record_of(parent, name, found, known, stop));
  };
  Walk(root, stop, record).run();
}

void walk_names(const Directory& root, const std::stop_token& stop,
                const std::function<void(const std::string& path)>& visit) {
  const Walk::Visit name_only = [&](const std::string& path, const Directory&, const std::string&,
                                    const struct stat&) { visit(path); };
  Walk(root, stop, name_only).run();
}

std::vector<RecordChange> compare_inodes(const InodeRecords& before, const InodeRecords& now) {
  std::vector<RecordChange> changes;
  std::optional<std::string> gone;  // the directory that was removed last
  const auto removed = [&](const std::string& path) {
    if (gone && path.starts_with(*gone + '/')) return;
    gone = path;
    changes.push_back({path, RecordChange::Kind::removed});
  };
  const WalkOrder less;
  auto old = before.begin();
  auto current = now.begin();
  while (old != before.end() || current != now.end()) {
    if (current == now.end() || (old != before.end() && less(old->first, current->first))) {
      removed((old++)->first);
    } else if (old == before.end() || less(current->first, old->first)) {
      changes.push_back({(current++)->first, RecordChange::Kind::added});
    } else {
      if (is_changed(old->second, current->second)) {
        changes.push_back({current->first, RecordChange::Kind::modified});
        // What was in a directory that is none any more goes without saying.
        if (current->second.type != InodeType::directory) gone = current->first;
      }
      ++old;
      ++current;
    }
  }
  return changes;
}

}  // namespace lade::snapshot
