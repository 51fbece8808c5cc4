#include "snapshot/apply.hpp"

#include "base/checksum.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "snapshot/copy_up.hpp"
#include "snapshot/layer_path.hpp"
#include "snapshot/tar_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <utility>

namespace lade::snapshot {

namespace {

/// A hard link whose target was not there when it came. Until it can be made a socket, which no tar
/// can bring, keeps its place: whatever takes the name afterwards has it.
struct PendingLink {
  LayerPath link;  ///< without links
  LayerPath target;
  bool target_pending = false;  ///< the target is such a link itself
};

[[noreturn]] void over_limit(std::uint64_t limit, const char* what) {
  throw InvalidData(str("layer of more than ", limit, ' ', what));
}

class Applier {
 public:
  Applier(Source& tar, const Directory& target, const ApplyOptions& options, const Job& job)
      : reader_(tar),
        lower_(options.lower),
        write_back_(options.write_back),
        limits_(options.limits),
        job_(job),
        metadata_(target, options.overlay, job.observer),
        tree_(target, options.lower, metadata_, options.limits.directories) {}

  void run() {
    while (const auto entry = reader_.next()) {
      if (job_.stop.stop_requested()) throw Cancelled();
      in_context([&] { return str("apply ", quoted(entry->path)); },
                 [&] {
                   count(*entry);
                   apply(*entry);
                 });
    }
    for (const PendingLink& link : pending_) retry(link);
  }

  AppliedLayer finish(DiffId diff_id, std::uint64_t tar_size) {
    AppliedLayer layer{std::move(diff_id),
                       tar_size,
                       entries_,
                       tree_.root_entry(),
                       tree_.root_opaque(),
                       tree_.finish(),
                       std::move(missing_),
                       std::move(forward_),
                       std::move(checksums_)};
    return layer;
  }

 private:
  void count(const Entry& entry) {
    if (++entries_ > limits_.entries) over_limit(limits_.entries, "entries");
    names_ += entry.path.size();
    if (names_ > limits_.names) over_limit(limits_.names, "bytes of names");
  }

  void apply(const Entry& entry) {
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

  void apply_root(const Entry& entry) {
    // CVE-2021-29136: as a link it would replace the very directory that everything else is in.
    if (entry.type != EntryType::directory) throw InvalidData("the root is not a directory");
    tree_.put_root(entry.attributes);
  }

  void apply_plain(const Entry& entry, const LayerPath& path) {
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
  std::pair<const LayerTree::Place*, int> make(const LayerPath& path, Make&& make_inode) {
    const LayerTree::Place* place = &tree_.enter(path.parent);
    int result = make_inode(place->directory.fd(), path.name.c_str());
    if (result < 0 && errno == EEXIST) {
      tree_.clear(*place, path.name);
      place = &tree_.enter(path.parent);
      result = make_inode(place->directory.fd(), path.name.c_str());
    }
    return {place, check_syscall(result, [&] { return str("make ", quoted(path.text())); })};
  }

  void put_file(const Entry& entry, const LayerPath& path) {
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const Fd file(make(path, [](int parent, const char* name) {
                    return ::openat(parent, name, flags, 0600);
                  }).second);
    write_data(entry, file);
    metadata_.apply(file, entry.attributes, entry.path);
  }

  void write_data(const Entry& entry, const Fd& file) {
    std::uint64_t end = 0;
    std::uint64_t written = 0;
    bool has_holes = false;
    checksum_.reset();
    while (const auto block = reader_.next_block()) {
      // The position is that of a plain write() until a hole comes.
      if (block->offset != end) {
        has_holes = true;
        check_syscall(::lseek(file.get(), static_cast<off_t>(block->offset), SEEK_SET),
                      [&] { return str("seek in ", quoted(entry.path)); });
      }
      write_all(file, block->bytes, entry.path);
      checksum_.update(block->bytes);
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
    const ino_t inode = stat_of(file, entry.path).st_ino;
    if (has_holes) {
      checksums_.erase(inode);  // it is read when it is recorded
    } else {
      checksums_[inode] = checksum_.value();
    }
    if (write_back_ == WriteBack::early && entry.size > 0) {
      // Only a beginning: syncfs tells whether it worked.
      static_cast<void>(::sync_file_range(file.get(), 0, 0, SYNC_FILE_RANGE_WRITE));
    }
  }

  void put_special(const Entry& entry, const LayerPath& path) {
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

  void put_link(const Entry& entry, const LayerPath& path) {
    const LayerPath target = parse_layer_path(entry.target);
    if (target.name.empty()) throw InvalidData("hard link to the root directory");
    if (classify(target) == PathKind::ignored) {
      throw InvalidData(str("hard link to ", quoted(entry.target), ", bookkeeping of aufs"));
    }
    if (target.text() == path.text()) return;
    if (target.text().starts_with(path.text() + '/')) {
      throw InvalidData(
          str("hard link to ", quoted(entry.target), " in the place of its directory"));
    }
    if (link(path, target)) return;
    const auto there = find_type(target);
    if (there == S_IFDIR) throw InvalidData("hard link to a directory");
    // Its target may come later in this tar, or lie in a layer below. What has the name now goes,
    // as it would have gone.
    const auto made = make(
        path, [](int parent, const char* name) { return ::mknodat(parent, name, S_IFSOCK, 0); });
    pending_.push_back({{made.first->path, path.name}, target, there == S_IFSOCK});
  }

  /// Whether the link's place is still kept: no later entry took the name, or a directory above it.
  bool is_waiting(const PendingLink& pending) {
    const auto* place = tree_.find(pending.link.parent);
    if (place == nullptr || place->path != pending.link.parent) return false;
    const auto st = place->directory.find_stat(pending.link.name);
    return st && S_ISSOCK(st->st_mode);
  }

  /// The S_IFMT bits of what this layer has at `path`: a socket is a link that waits for its
  /// target.
  std::optional<mode_t> find_type(const LayerPath& path) {
    const auto* place = tree_.find(path.parent);
    if (place == nullptr) return std::nullopt;
    const auto st = place->directory.find_stat(path.name);
    if (!st || tree_.holds_only_whiteouts(*place, path.name)) return std::nullopt;
    return st->st_mode & S_IFMT;
  }

  /// Whether this layer has a file at `target`, which then has the name `path` too.
  bool link(const LayerPath& path, const LayerPath& target) {
    const auto* from = tree_.find(target.parent);
    if (from == nullptr) return false;
    const auto st = from->directory.find_stat(target.name);
    if (!st || is_whiteout(*st) || S_ISSOCK(st->st_mode) || S_ISDIR(st->st_mode)) return false;
    // Held: making the place for the link may drop the cache.
    const Directory source(duplicate(from->directory.handle()), from->directory.path());
    make(path, [&](int parent, const char* name) {
      const int result = ::linkat(source.fd(), target.name.c_str(), parent, name, 0);
      return result < 0 && errno == EMLINK ? link_to_spare(source, target.name, parent, name)
                                           : result;
    });
    return true;
  }

  /// A file that has as many names as its file system allows is copied, and the copy is linked to.
  int link_to_spare(const Directory& source, const std::string& source_name, int parent,
                    const char* name) {
    const ino_t full = source.find_stat(source_name)->st_ino;
    if (const auto spare = spares_.find(full); spare != spares_.end()) {
      const std::string path = str("/proc/self/fd/", spare->second.get());
      const int result = ::linkat(AT_FDCWD, path.c_str(), parent, name, AT_SYMLINK_FOLLOW);
      if (result == 0 || errno != EMLINK) return result;
    }
    // Told of it without making anything, so that the caller can make room.
    if (::faccessat(parent, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
      errno = EEXIST;
      return -1;
    }
    const Directory place(open_file(str("/proc/self/fd/", parent), O_RDONLY | O_DIRECTORY), name);
    const Fd original = source.open_file(source_name, O_PATH);
    copy_up(original, XattrsOf::layer, place, name, metadata_);
    Fd spare = place.open_file(name, O_PATH);
    checksums_.erase(stat_of(spare, name).st_ino);
    spares_[full] = std::move(spare);
    return 0;
  }

  void retry(const PendingLink& pending) {
    in_context(
        [&] { return str("apply hard link ", quoted(pending.link.text())); },
        [&] {
          if (!is_waiting(pending)) return;
          const auto& place = tree_.enter(pending.link.parent);
          tree_.clear(place, pending.link.name);
          if (lower_ == nullptr) {
            const bool made = link(pending.link, pending.target);
            (made ? forward_ : missing_).push_back(pending.link.text());
            return;
          }
          if (!pending.target_pending && link_to_lower(pending)) return;
          if (!link(pending.link, pending.target)) {
            throw InvalidData(str("its target ", quoted(pending.target.text()), " is nowhere"));
          }
        });
  }

  /// Copies a file of the layers below into this one, where it then has both names, or only the
  /// link's if this layer has replaced, removed or hidden the file. Whether there is such a file.
  bool link_to_lower(const PendingLink& pending) {
    const LayerPath& target = pending.target;
    const auto* place = tree_.enter_for_whiteout(target.parent);
    // The name without links: tells which file of the layers below is meant.
    const auto file = place != nullptr
                          ? find_without_links(*lower_, join_path(place->path, target.name), O_PATH)
                          : lower_->find_in_root(target.text(), O_PATH | O_NOFOLLOW);
    if (!file) return false;
    if (place != nullptr && tree_.holds_only_whiteouts(*place, target.name)) {
      tree_.clear(*place, target.name);  // which have no effect in what is no directory
      place = tree_.enter_for_whiteout(target.parent);
    }
    const bool hidden =
        place == nullptr || place->directory.exists(target.name) || tree_.hides_below(place->path);
    const struct stat st = stat_of(*file, target.text());
    const std::pair<dev_t, ino_t> inode(st.st_dev, st.st_ino);
    // Another name of it may have been copied already.
    const auto copy = copies_.find(inode);
    if (copy == copies_.end() || !link(pending.link, copy->second)) {
      const LayerPath& first = hidden ? pending.link : target;
      const Directory& parent = tree_.enter(first.parent).directory;
      copy_up(*file, xattrs_of_tree(*lower_), parent, first.name, metadata_);
      // The inode may have been that of a file that is gone.
      if (const auto made = parent.find_stat(first.name)) checksums_.erase(made->st_ino);
      copies_[inode] = first;
      return hidden || link(pending.link, target);
    }
    return hidden || link(target, pending.link);
  }

  TarReader reader_;
  const Directory* lower_;
  WriteBack write_back_;
  const ApplyLimits limits_;
  const Job& job_;
  MetadataWriter metadata_;
  LayerTree tree_;
  std::vector<PendingLink> pending_;
  std::vector<std::string> missing_;
  std::vector<std::string> forward_;
  std::map<std::pair<dev_t, ino_t>, LayerPath> copies_;  // of files of the layers below
  std::map<ino_t, Fd> spares_;                           // copies of files with too many names
  std::uint64_t entries_ = 0;
  std::uint64_t names_ = 0;  // bytes
  std::uint64_t holes_ = 0;  // bytes
  Checksum checksum_;
  ContentChecksums checksums_;
};

}  // namespace

AppliedLayer apply_layer(Source& tar, const Directory& target, const ApplyOptions& options,
                         const Job& job) {
  Hasher hasher(HashAlgorithm::sha256);
  std::uint64_t size = 0;
  TapSource hashed(tar, [&](std::span<const std::byte> bytes) {
    hasher.update(bytes);
    size += bytes.size();
    if (size > options.limits.tar_size) over_limit(options.limits.tar_size, "bytes");
  });
  Applier applier(hashed, target, options, job);
  applier.run();
  return applier.finish(DiffId{Digest::parse(str("sha256:", hasher.finish_hex()))}, size);
}

}  // namespace lade::snapshot
