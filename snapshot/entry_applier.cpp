#include "snapshot/entry_applier.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "snapshot/copy_up.hpp"
#include "snapshot/layer_tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace lade::snapshot {

namespace {

[[noreturn]] void over_limit(std::uint64_t limit, const char* what) {
  throw InvalidData(str("layer of more than ", limit, ' ', what));
}

}  // namespace

void EntryApplier::run() {
  while (auto entry = reader_.next()) {
    if (job_.stop.stop_requested()) throw Cancelled();
    in_context([&] { return str("apply ", quoted(entry->path)); },
               [&] {
                 count(*entry);
                 prepare(*entry);
                 apply(*entry);
               });
  }
  for (const PendingLink& link : pending_) retry(link);
}

void EntryApplier::count(const Entry& entry) {
  if (++entries_ > limits_.entries) over_limit(limits_.entries, "entries");
  names_ += entry.path.size();
  if (names_ > limits_.names) over_limit(limits_.names, "bytes of names");
}

void EntryApplier::apply(const Entry& entry) {
  const LayerPath path = parse_layer_path(entry.path);
  if (path.name.empty()) return apply_root(entry);
  switch (classify(path)) {
    case PathKind::plain:
      return apply_plain(entry, path);
    case PathKind::whiteout:
      if (const auto* place = tree_.enter_for_whiteout(path.parent)) {
        tree_.hide(*place, hidden_name(path));
      }
      return;
    case PathKind::opaque:
      if (const auto* place = tree_.enter_for_whiteout(path.parent)) tree_.hide_all(*place);
      return;
    case PathKind::ignored:
      return;
  }
}

void EntryApplier::apply_root(const Entry& entry) {
  // CVE-2021-29136: as a link it would replace the very directory that everything else is in.
  if (entry.type != EntryType::directory) throw InvalidData("the root is not a directory");
  tree_.put_root(entry.attributes);
}

void EntryApplier::apply_plain(const Entry& entry, const LayerPath& path) {
  switch (entry.type) {
    case EntryType::directory:
      return tree_.put_directory(tree_.enter(path.parent), path.name, entry.attributes);
    case EntryType::regular:
      return put_file(entry, path);
    case EntryType::hardlink:
      return put_link(entry, path);
    case EntryType::symlink:
    case EntryType::character:
    case EntryType::block:
    case EntryType::fifo:
      return put_special(entry, path);
  }
}

/// Runs `make(parent, name)`, a call that refuses names that are taken, and if need be again
/// after whatever has the name was removed. Returns the directory and the call's result.
template <class Make>
std::pair<const TreeBuilder::Place*, int> EntryApplier::make(const LayerPath& path,
                                                             Make&& make_inode) {
  const TreeBuilder::Place* place = &tree_.enter(path.parent);
  int result = make_inode(place->directory.fd(), path.name.c_str());
  if (result < 0 && errno == EEXIST) {
    tree_.clear(*place, path.name);
    place = &tree_.enter(path.parent);
    result = make_inode(place->directory.fd(), path.name.c_str());
  }
  check_syscall(result, [&] { return str("make ", quoted(path.text())); });
  tree_.added(*place, path.name);
  return {place, result};
}

void EntryApplier::put_file(const Entry& entry, const LayerPath& path) {
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const Fd file(make(path, [](int parent, const char* name) {
                  return ::openat(parent, name, flags, 0600);
                }).second);
  write_data(entry, file);
  metadata_.apply(file, entry.attributes, entry.path);
}

void EntryApplier::write_data(const Entry& entry, const Fd& file) {
  std::uint64_t end = 0;
  std::uint64_t written = 0;
  bool has_holes = false;
  content_begins();
  while (const auto block = reader_.next_block()) {
    // The position is that of a plain write() until a hole comes.
    if (block->offset != end) {
      has_holes = true;
      check_syscall(::lseek(file.get(), static_cast<off_t>(block->offset), SEEK_SET),
                    [&] { return str("seek in ", quoted(entry.path)); });
    }
    write_all(file, block->bytes, entry.path);
    content(block->bytes);
    end = block->offset + block->bytes.size();
    written += block->bytes.size();
    if (job_.stop.stop_requested()) throw Cancelled();
  }
  if (written < entry.size) {
    holes_ += entry.size - written;
    if (holes_ > limits_.holes) over_limit(limits_.holes, "bytes of holes");
  }
  if (end != entry.size) {
    has_holes = true;
    check_syscall(::ftruncate(file.get(), static_cast<off_t>(entry.size)),
                  [&] { return str("set the size of ", quoted(entry.path)); });
  }
  content_ends(file, stat_of(file, entry.path), has_holes);
}

void EntryApplier::put_special(const Entry& entry, const LayerPath& path) {
  const bool device = entry.type == EntryType::character || entry.type == EntryType::block;
  if (entry.type == EntryType::character && entry.device == makedev(0, 0)) {
    throw InvalidData("a character device 0:0 would be taken for a whiteout");
  }
  const auto made = make(path, [&](int parent, const char* name) {
    if (entry.type == EntryType::symlink) {
      return ::symlinkat(entry.target.c_str(), parent, name);
    }
    const mode_t type = entry.type == EntryType::character ? S_IFCHR
                        : entry.type == EntryType::block   ? S_IFBLK
                                                           : S_IFIFO;
    return ::mknodat(parent, name, type | 0600U, device ? entry.device : 0);
  });
  metadata_.apply_at(made.first->directory, path.name, entry.type, entry.attributes, entry.path);
}

void EntryApplier::put_link(const Entry& entry, const LayerPath& path) {
  const LayerPath target = parse_layer_path(entry.target);
  if (target.name.empty()) throw InvalidData("hard link to the root directory");
  if (classify(target) == PathKind::ignored) {
    throw InvalidData(str("hard link to ", quoted(entry.target), ", bookkeeping of aufs"));
  }
  if (target.text() == path.text()) return;
  if (target.text().starts_with(path.text() + '/')) {
    throw InvalidData(str("hard link to ", quoted(entry.target), " in the place of its directory"));
  }
  if (const auto file = find_target(target)) return link(path, *file);
  // Its target may come later in this tar. What has the name now goes, as it would have gone.
  const auto made =
      make(path, [](int parent, const char* name) { return ::mknodat(parent, name, S_IFSOCK, 0); });
  pending_.push_back({{made.first->path, path.name}, target});
}

void EntryApplier::link(const LayerPath& path, const Found& file) {
  if (S_ISDIR(file.st.st_mode)) throw InvalidData("hard link to a directory");
  make(path, [&](int parent, const char* name) {
    const int result = ::linkat(file.directory.fd(), file.name.c_str(), parent, name, 0);
    return result < 0 && errno == EMLINK ? link_to_spare(file, parent, name) : result;
  });
}

/// What the tree has at `target`, or the layers below had there; nothing if that is a link that
/// waits for its target itself.
std::optional<Found> EntryApplier::find_target(const LayerPath& target) {
  auto found = tree_.find_present(target);
  if (!found) found = tree_.find_below(target);
  if (!found || S_ISSOCK(found->st.st_mode)) return std::nullopt;
  if (found->is_new) copied(found->st);
  return found;
}

/// A file that has as many names as its file system allows is copied, and the copy is linked to.
int EntryApplier::link_to_spare(const Found& file, int parent, const char* name) {
  Fd full = file.directory.open_file(file.name, O_PATH);
  const ino_t inode = stat_of(full, file.name).st_ino;
  if (const auto spare = spares_.find(inode); spare != spares_.end()) {
    const std::string path = str("/proc/self/fd/", spare->second.copy.get());
    const int result = ::linkat(AT_FDCWD, path.c_str(), parent, name, AT_SYMLINK_FOLLOW);
    const bool is_spent = errno == EMLINK || errno == ENOENT;  // full as well, or without a name
    if (result == 0 || !is_spent) return result;
  }
  // Told of it without making anything, so that the caller can make room.
  if (::faccessat(parent, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
    errno = EEXIST;
    return -1;
  }
  const Directory place(open_file(str("/proc/self/fd/", parent), O_RDONLY | O_DIRECTORY), name);
  copy_up(full, metadata_.written(), place, name, metadata_);
  Fd copy = place.open_file(name, O_PATH);
  copied(stat_of(copy, name));
  spares_[inode] = Spare{std::move(full), std::move(copy)};
  return 0;
}

/// Whether the link's place is still kept: no later entry took the name, or a directory above it.
bool EntryApplier::is_waiting(const PendingLink& pending) {
  const auto* place = tree_.find(pending.link.parent);
  if (place == nullptr || place->path != pending.link.parent) return false;
  const auto st = place->directory.find_stat(pending.link.name);
  return st && S_ISSOCK(st->st_mode);
}

void EntryApplier::retry(const PendingLink& pending) {
  const std::string link_path = pending.link.text();
  in_context([&] { return str("apply hard link ", quoted(link_path)); },
             [&] {
               if (!is_waiting(pending)) return;
               const auto file = find_target(pending.target);
               if (file && !S_ISDIR(file->st.st_mode)) {
                 link(pending.link, *file);
                 return linked_late(link_path);
               }
               tree_.clear(tree_.enter(pending.link.parent), pending.link.name);
               target_missing(link_path, pending.target.text());
             });
}

void EntryApplier::target_missing(const std::string& /*link*/, const std::string& target) {
  throw InvalidData(str("its target ", quoted(target), " is nowhere"));
}

}  // namespace lade::snapshot
