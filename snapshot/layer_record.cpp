#include "snapshot/layer_record.hpp"

#include "base/checksum.hpp"
#include "base/error.hpp"
#include "base/stream.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>

namespace lade::snapshot {

namespace {

constexpr std::size_t k_xattr_names_cap = 64 * 1024;
constexpr std::size_t k_xattr_value_cap = 64 * 1024;

/// The path of the tree itself.
constexpr const char* k_top = ".";

/// The columns of a line; the path is the last, so that it may have blanks in it.
enum Column { k_type, k_mode, k_owner, k_size, k_time, k_content, k_xattrs, k_columns };

/// A path that is one line: a newline or a backslash in it is escaped.
std::string escaped(const std::string& path) {
  if (path.find_first_of("\n\\") == std::string::npos) return path;
  std::string text;
  for (const char c : path) {
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\\') {
      text += "\\\\";
    } else {
      text += c;
    }
  }
  return text;
}

std::string hex(std::uint64_t value) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return to_hex(bytes);
}

char type_letter(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return 'f';
    case S_IFDIR:
      return 'd';
    case S_IFLNK:
      return 'l';
    case S_IFCHR:
      return 'c';
    case S_IFBLK:
      return 'b';
    case S_IFIFO:
      return 'p';
    default:
      return 's';
  }
}

/// A checksum of all extended attributes, in the order of their names; `-` without any. By path,
/// since there is no call for what a descriptor cannot be opened of.
std::string xattr_checksum(const Directory& parent, const std::string& name) {
  const std::string path = str("/proc/self/fd/", parent.fd(), '/', name);
  std::array<char, k_xattr_names_cap> names;
  const ssize_t length = ::llistxattr(path.c_str(), names.data(), names.size());
  if (length <= 0) return "-";
  std::vector<std::string> sorted;
  for (const char* at = names.data(); at < names.data() + length; at += sorted.back().size() + 1) {
    sorted.emplace_back(at);
  }
  std::sort(sorted.begin(), sorted.end());
  Checksum checksum;
  std::vector<char> value(k_xattr_value_cap);
  for (const std::string& each : sorted) {
    const ssize_t size = ::lgetxattr(path.c_str(), each.c_str(), value.data(), value.size());
    checksum.update(as_bytes(str(each, '=', size, ':')));
    if (size > 0) {
      checksum.update(as_bytes(std::string_view(value.data(), static_cast<std::size_t>(size))));
    }
  }
  return hex(checksum.value());
}

class Recorder {
 public:
  Recorder(const Directory& tree, const ContentChecksums& known, const std::stop_token& stop,
           const BytesRead& on_bytes)
      : tree_(tree), known_(known), stop_(stop), on_bytes_(on_bytes) {}

  std::string run() {
    lines_.emplace_back(k_top, describe(tree_, k_top, stat_of(tree_.handle(), tree_.path())));
    enter("");
    // Directories wait in a list: a layer may be deeper than there are descriptors.
    while (!waiting_.empty()) {
      if (stop_.stop_requested()) throw Cancelled();
      const std::string path = std::move(waiting_.back());
      waiting_.pop_back();
      enter(path);
    }
    std::sort(lines_.begin(), lines_.end());
    std::string text;
    for (const auto& [path, line] : lines_) text += str(line, ' ', path, '\n');
    return text;
  }

 private:
  void enter(const std::string& path) {
    const Directory directory(
        path.empty() ? duplicate(tree_.handle())
                     : tree_.resolve_in_root(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
        path.empty() ? tree_.path() : tree_.path_of(path));
    for (const std::string& name : directory.list()) {
      const auto st = directory.find_stat(name);
      if (!st) continue;
      const std::string below = path.empty() ? name : path + '/' + name;
      lines_.emplace_back(escaped(below), describe(directory, name, *st));
      if (S_ISDIR(st->st_mode)) waiting_.push_back(below);
    }
  }

  std::string describe(const Directory& directory, const std::string& name,
                       const struct stat& st) const {
    const bool is_directory = S_ISDIR(st.st_mode);
    const bool is_device = S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode);
    return str(type_letter(st.st_mode), ' ', st.st_mode & 07777, ' ', st.st_uid, ':', st.st_gid,
               ' ', is_directory ? 0 : st.st_size, ' ', st.st_mtim.tv_sec, '.', st.st_mtim.tv_nsec,
               ' ', is_device ? str(st.st_rdev) : content(directory, name, st), ' ',
               xattr_checksum(directory, name));
  }

  std::string content(const Directory& directory, const std::string& name,
                      const struct stat& st) const {
    Checksum checksum;
    if (S_ISLNK(st.st_mode)) {
      std::string target(static_cast<std::size_t>(st.st_size) + 1, '\0');
      const ssize_t length =
          ::readlinkat(directory.fd(), name.c_str(), target.data(), target.size());
      checksum.update(
          as_bytes(std::string_view(target).substr(0, length < 0 ? 0 : std::size_t(length))));
      return hex(checksum.value());
    }
    if (!S_ISREG(st.st_mode)) return "-";
    if (const auto found = known_.find(st.st_ino); found != known_.end()) {
      return hex(found->second);
    }
    FdSource file(directory.open_file(name, O_RDONLY | O_NONBLOCK), directory.path_of(name));
    std::vector<std::byte> buffer(k_copy_buffer);
    while (const std::size_t count = file.read(buffer)) {
      checksum.update(std::span(buffer).first(count));
      if (on_bytes_) on_bytes_(count);
      if (stop_.stop_requested()) throw Cancelled();
    }
    return hex(checksum.value());
  }

  const Directory& tree_;
  const ContentChecksums& known_;
  const std::stop_token& stop_;
  const BytesRead& on_bytes_;
  std::vector<std::string> waiting_;
  std::vector<std::pair<std::string, std::string>> lines_;
};

/// A record by path.
std::map<std::string, std::vector<std::string>> parse_record(const std::string& text) {
  std::map<std::string, std::vector<std::string>> entries;
  for (const std::string& line : split(text, '\n')) {
    std::vector<std::string> columns;
    std::size_t at = 0;
    while (columns.size() < k_columns) {
      const std::size_t end = line.find(' ', at);
      if (end == std::string::npos) break;
      columns.push_back(line.substr(at, end - at));
      at = end + 1;
    }
    if (columns.size() == k_columns) entries.emplace(line.substr(at), std::move(columns));
  }
  return entries;
}

/// The first thing that differs, the worst first.
std::string difference(const std::vector<std::string>& before,
                       const std::vector<std::string>& now) {
  if (before[k_type] != now[k_type]) return "is of another type";
  if (before[k_size] != now[k_size])
    return str("has ", now[k_size], " bytes, not ", before[k_size]);
  if (before[k_content] != now[k_content]) return "has other content";
  if (before[k_owner] != now[k_owner]) return "has another owner";
  if (before[k_mode] != now[k_mode]) return "has another mode";
  if (before[k_xattrs] != now[k_xattrs]) return "has other extended attributes";
  return "has another time";
}

}  // namespace

std::string record_layer(const Directory& tree, const ContentChecksums& known,
                         const std::stop_token& stop, const BytesRead& on_bytes) {
  return Recorder(tree, known, stop, on_bytes).run();
}

std::vector<LayerDifference> compare_records(const std::string& before, const std::string& now,
                                             std::size_t most) {
  std::vector<LayerDifference> differences;
  if (before == now) return differences;
  const auto expected = parse_record(before);
  auto found = parse_record(now);
  if (!expected.contains(k_top)) found.erase(k_top);
  for (const auto& [path, columns] : expected) {
    if (differences.size() >= most) return differences;
    const auto other = found.find(path);
    if (other == found.end()) {
      differences.push_back({path, "is missing"});
    } else if (other->second != columns) {
      differences.push_back({path, difference(columns, other->second)});
    }
  }
  for (const auto& [path, columns] : found) {
    if (differences.size() >= most) return differences;
    if (!expected.contains(path)) differences.push_back({path, "was not there"});
  }
  return differences;
}

}  // namespace lade::snapshot
