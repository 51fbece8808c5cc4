#include "snapshot/layer_diff.hpp"

#include "base/error.hpp"
#include "base/tar_writer.hpp"
#include "base/text.hpp"
#include "snapshot/layer_path.hpp"
#include "snapshot/layer_tree.hpp"
#include "snapshot/metadata.hpp"
#include "snapshot/path_walk.hpp"
#include "snapshot/rootless_owner.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace lade::snapshot {

namespace {

constexpr std::string_view k_whiteout = ".wh.";
constexpr std::string_view k_opaque = ".wh..wh..opq";

/// Where an entry comes in the order of the archive: what is hidden in a directory before what is
/// put there.
std::string sort_key(const LayerEntry& entry) {
  const LayerPath path = parse_layer_path(entry.path);
  switch (entry.kind) {
    case LayerEntryKind::present:
      return entry.path;
    case LayerEntryKind::removed:
      return join_path(path.parent, str('\0', path.name));
    case LayerEntryKind::opaque:
      return join_path(entry.path, std::string(1, '\0'));
  }
  return entry.path;
}

void sort_entries(std::vector<LayerEntry>& entries) {
  std::vector<std::pair<std::string, LayerEntry>> keyed;
  keyed.reserve(entries.size());
  for (LayerEntry& entry : entries) {
    std::string key = sort_key(entry);
    keyed.emplace_back(std::move(key), std::move(entry));
  }
  std::sort(keyed.begin(), keyed.end(),
            [](const auto& a, const auto& b) { return WalkOrder()(a.first, b.first); });
  entries.clear();
  for (auto& [key, entry] : keyed) entries.push_back(std::move(entry));
}

std::optional<std::string> images_own(const std::string& name) {
  return belongs_to_image(name) ? std::optional(name) : std::nullopt;
}

TarType tar_type(const struct stat& st) {
  switch (st.st_mode & S_IFMT) {
    case S_IFDIR:
      return TarType::directory;
    case S_IFLNK:
      return TarType::symlink;
    case S_IFCHR:
      return TarType::character_device;
    case S_IFBLK:
      return TarType::block_device;
    case S_IFIFO:
      return TarType::fifo;
    default:
      return TarType::file;
  }
}

/// Makes the archive piece by piece as it is read.
class LayerSource final : public Source {
 public:
  LayerSource(const Directory& root, std::vector<LayerEntry> entries, LayerDiffOptions options,
              const Job& job)
      : root_(root),
        entries_(std::move(entries)),
        options_(std::move(options)),
        job_(job),
        writer_(out_) {
    if (!options_.xattr_name) options_.xattr_name = images_own;
    sort_entries(entries_);
  }

  std::size_t read(std::span<std::byte> buffer) override {
    while (position_ == out_.pending.size()) {
      if (finished_) return 0;
      out_.pending.clear();
      position_ = 0;
      step();
    }
    const std::size_t count = std::min(buffer.size(), out_.pending.size() - position_);
    std::copy_n(as_bytes(out_.pending).begin() + static_cast<std::ptrdiff_t>(position_), count,
                buffer.begin());
    position_ += count;
    return count;
  }

 private:
  /// Takes what the writer writes.
  class Pending final : public Sink {
   public:
    void write(std::span<const std::byte> data) override { pending += as_text(data); }
    std::string pending;
  };

  void step() {
    if (job_.stop.stop_requested()) throw Cancelled();
    if (content_) return copy_some();
    if (next_ == entries_.size()) {
      writer_.finish();
      finished_ = true;
      return;
    }
    const LayerEntry& entry = entries_[next_++];
    in_context([&] { return str("add ", quoted(entry.path)); }, [&] { add(entry); });
  }

  void copy_some() {
    std::vector<std::byte> buffer(
        static_cast<std::size_t>(std::min<std::uint64_t>(left_, 4 * k_copy_buffer)));
    std::size_t count = buffer.empty() ? 0 : read_some(*content_, buffer, content_name_);
    if (count == 0 && left_ > 0) {
      take_shortness();
      std::fill(buffer.begin(), buffer.end(), std::byte{0});
      count = buffer.size();
    }
    writer_.write(std::span(buffer).first(count));
    left_ -= count;
    if (left_ == 0) content_.reset();
  }

  void take_shortness() {
    const std::string what = str(quoted(content_name_), " became shorter while it was read");
    if (options_.short_file == ShortFile::fails) throw InvalidData(what);
    if (content_name_ != padded_) job_.observer.note(NoteLevel::warning, what + ": zeros follow");
    padded_ = content_name_;
  }

  Timestamp time_of(const struct stat& st) const {
    Timestamp time{st.st_mtim.tv_sec, 0};
    if (options_.times == TarTimes::nanoseconds) {
      time.nanoseconds = static_cast<std::int32_t>(st.st_mtim.tv_nsec);
    }
    return options_.newest ? std::min(time, Timestamp{*options_.newest, 0}) : time;
  }

  void add(const LayerEntry& entry) {
    const LayerPath path = parse_layer_path(entry.path);
    const bool is_marked = path.name.starts_with(k_whiteout);
    if (is_marked) throw InvalidData("no layer can have a file of this name: it means a whiteout");
    switch (entry.kind) {
      case LayerEntryKind::present:
        return add_inode(entry);
      case LayerEntryKind::removed:
        return add_marker(join_path(path.parent, str(k_whiteout, path.name)));
      case LayerEntryKind::opaque:
        return add_marker(join_path(entry.path, k_opaque));
    }
  }

  void add_marker(const std::string& name) {
    writer_.begin({.name = name, .mode = 0, .mtime = {.seconds = options_.newest.value_or(0)}});
  }

  void add_inode(const LayerEntry& entry) {
    const LayerPath source = parse_layer_path(entry.source);
    const Directory parent = open_without_links(root_, source.parent);
    const std::string name = source.name.empty() ? "." : source.name;
    const Fd inode = parent.open_file(name, O_PATH);
    const struct stat st = stat_of(inode, entry.source);
    if (S_ISSOCK(st.st_mode)) {
      job_.observer.note(NoteLevel::warning,
                         str("socket ", quoted(entry.path), " is left out of the layer"));
      return;
    }
    TarMember member = member_of(entry, inode, st);
    if (member.type == TarType::symlink) member.link = read_link(parent, name);
    if (is_known_link(entry, st, member)) return writer_.begin(member);
    writer_.begin(member);
    if (member.type != TarType::file || member.size == 0) return;
    content_.emplace(parent.open_file(name, O_RDONLY | O_NONBLOCK));
    content_name_ = entry.source;
    left_ = member.size;
    const struct stat opened = stat_of(*content_, entry.source);
    if (opened.st_dev != st.st_dev || opened.st_ino != st.st_ino) {
      throw InvalidData(str(quoted(content_name_), " was replaced while it was read"));
    }
  }

  TarMember member_of(const LayerEntry& entry, const Fd& inode, const struct stat& st) const {
    TarMember member{.name = entry.path.empty() ? "." : entry.path, .type = tar_type(st)};
    if (member.type == TarType::directory) member.name += '/';
    if (member.type == TarType::file) member.size = static_cast<std::uint64_t>(st.st_size);
    Attributes attributes{st.st_mode & 07777U, st.st_uid, st.st_gid, {}, {}};
    const std::string link = str("/proc/self/fd/", inode.get());
    for (const auto& [xattr, value] : read_xattrs(link, XattrLinks::followed, entry.source)) {
      if (auto known = options_.xattr_name(xattr)) attributes.xattrs.push_back({*known, value});
    }
    set_image_owner(attributes, options_.ownership);
    member.mode = attributes.mode;
    member.uid = attributes.uid;
    member.gid = attributes.gid;
    for (const Xattr& xattr : attributes.xattrs) {
      member.records[str("SCHILY.xattr.", xattr.name)] = xattr.value;
    }
    member.mtime = time_of(st);
    if (member.type == TarType::character_device || member.type == TarType::block_device) {
      member.device_major = major(st.st_rdev);
      member.device_minor = minor(st.st_rdev);
    }
    return member;
  }

  /// Makes `member` a hard link if an entry before it is the same file.
  bool is_known_link(const LayerEntry& entry, const struct stat& st, TarMember& member) {
    if (S_ISDIR(st.st_mode) || st.st_nlink < 2) return false;
    const auto [known, is_new] = names_.try_emplace({st.st_dev, st.st_ino}, entry.path);
    if (is_new) return false;
    member.type = TarType::hard_link;
    member.link = known->second;
    member.size = 0;
    member.records.clear();
    return true;
  }

  const Directory& root_;
  std::vector<LayerEntry> entries_;
  LayerDiffOptions options_;
  Job job_;
  Pending out_;
  std::size_t position_ = 0;  // in out_.pending
  TarWriter writer_;
  std::size_t next_ = 0;  // of entries_
  bool finished_ = false;
  std::optional<Fd> content_;  // of the file that was begun
  std::string content_name_;
  std::string padded_;      // the last file that was made longer
  std::uint64_t left_ = 0;  // bytes of it
  std::map<std::pair<dev_t, ino_t>, std::string> names_;
};

/// A path as it is compared: without slashes around it, `.` and doubled slashes.
std::string plain_path(const std::string& path) {
  std::vector<std::string> parts;
  for (std::string& part : split(path, '/')) {
    if (part == ".." && !parts.empty()) parts.pop_back();
    if (!part.empty() && part != "." && part != "..") parts.push_back(std::move(part));
  }
  return join(parts, "/");
}

bool is_masked(const std::string& path, const std::set<std::string>& masks) {
  for (std::string at = path; !at.empty(); at = parent_of(at)) {
    if (masks.count(at) > 0) return true;
  }
  return false;
}

}  // namespace

std::vector<LayerEntry> layer_entries(const std::vector<RecordChange>& changes,
                                      const InodeRecords& now,
                                      const std::vector<std::string>& masked) {
  std::set<std::string> masks;
  for (const std::string& path : masked) masks.insert(plain_path(path));
  std::vector<LayerEntry> entries;
  for (const RecordChange& change : changes) {
    if (is_masked(change.path, masks)) continue;
    const auto record = now.find(change.path);
    const bool is_gone = change.kind == RecordChange::Kind::removed ||
                         (record != now.end() && record->second.whiteout);
    entries.push_back(
        {change.path, is_gone ? LayerEntryKind::removed : LayerEntryKind::present, change.path});
  }
  return entries;
}

std::vector<LayerEntry> layer_entries(const std::vector<Change>& changes) {
  std::vector<LayerEntry> entries;
  for (const Change& change : changes) {
    const bool is_gone = change.kind == ChangeKind::deleted;
    entries.push_back({change.path, is_gone ? LayerEntryKind::removed : LayerEntryKind::present,
                       is_gone ? std::string() : change.path});
  }
  return entries;
}

std::vector<LayerEntry> layer_entries_of(const Directory& root, const std::string& source,
                                         const std::string& target, const std::stop_token& stop) {
  const std::string place = plain_path(target);
  std::vector<LayerEntry> entries{{place, LayerEntryKind::present, source}};
  const LayerPath path = parse_layer_path(source);
  const auto st = path.name.empty() ? std::optional(stat_of(root.handle(), root.path()))
                                    : open_without_links(root, path.parent).find_stat(path.name);
  if (!st) throw NotFound(str("there is no ", quoted(root.path_of(source))));
  if (!S_ISDIR(st->st_mode)) return entries;
  const Directory directory = open_without_links(root, source);
  walk_names(directory, stop, [&](const std::string& name) {
    entries.push_back({join_path(place, name), LayerEntryKind::present, join_path(source, name)});
  });
  return entries;
}

std::unique_ptr<Source> make_layer(const Directory& root, std::vector<LayerEntry> entries,
                                   LayerDiffOptions options, const Job& job) {
  return std::make_unique<LayerSource>(root, std::move(entries), std::move(options), job);
}

}  // namespace lade::snapshot
