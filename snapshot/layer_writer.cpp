#include "snapshot/layer_writer.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "snapshot/layer_path.hpp"
#include "snapshot/metadata.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace lade::snapshot {

namespace {

constexpr const char* k_whiteout = ".wh.";

std::string link_target(const Fd& link, const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = check_syscall(::readlinkat(link.get(), "", target.data(), target.size()),
                                       [&] { return str("read link ", quoted(path)); });
  return std::string(target.data(), static_cast<std::size_t>(length));
}

/// What a tar calls it; nothing for a socket.
std::optional<TarType> tar_type(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return TarType::file;
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
      return std::nullopt;
  }
}

std::string whiteout_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return k_whiteout + path;
  return str(path.substr(0, slash + 1), k_whiteout, path.substr(slash + 1));
}

void check_name(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::size_t at = slash == std::string::npos ? 0 : slash + 1;
  if (path.compare(at, 4, k_whiteout) != 0) return;
  throw InvalidData(str("write ", quoted(path), " to a layer: there its name means that `",
                        printable(path.substr(at + 4)), "` is deleted"));
}

/// Exactly `size` bytes of a file that may be changing: what it has more is left out, what it has
/// less is zeros.
class FixedSource final : public Source {
 public:
  FixedSource(Source& inner, std::uint64_t size) : inner_(inner), left_(size) {}

  std::size_t read(std::span<std::byte> buffer) override {
    const auto piece = buffer.first(std::min<std::uint64_t>(buffer.size(), left_));
    if (piece.empty()) return 0;
    std::size_t count = padded_ ? 0 : inner_.read(piece);
    if (count == 0) {
      padded_ = true;
      std::fill(piece.begin(), piece.end(), std::byte{0});
      count = piece.size();
    }
    left_ -= count;
    return count;
  }
  bool padded() const noexcept { return padded_; }

 private:
  Source& inner_;
  std::uint64_t left_;
  bool padded_ = false;
};

}  // namespace

LayerWriter::LayerWriter(const Directory& root, Sink& out, const LayerWriterOptions& options,
                         const Job& job)
    : root_(root), tar_(out), options_(options), job_(job) {}

TarMember LayerWriter::describe(const Fd& fd, const struct stat& st,
                                const std::string& path) const {
  const Attributes attributes = read_attributes(fd, path, XattrsOf::view);
  TarMember member;
  member.name = path;
  member.mode = attributes.mode;
  member.uid = attributes.uid;
  member.gid = attributes.gid;
  member.mtime = {attributes.mtime.tv_sec, static_cast<std::int32_t>(attributes.mtime.tv_nsec)};
  if (options_.latest && member.mtime > Timestamp{*options_.latest, 0}) {
    member.mtime = {*options_.latest, 0};
  }
  for (const Xattr& xattr : attributes.xattrs) {
    member.records["SCHILY.xattr." + xattr.name] = xattr.value;
  }
  member.type = *tar_type(st.st_mode);
  if (member.type == TarType::file) member.size = static_cast<std::uint64_t>(st.st_size);
  if (member.type == TarType::symlink) member.link = link_target(fd, path);
  if (member.type == TarType::directory) member.name += '/';
  if (member.type == TarType::character_device || member.type == TarType::block_device) {
    member.device_major = gnu_dev_major(st.st_rdev);
    member.device_minor = gnu_dev_minor(st.st_rdev);
  }
  return member;
}

void LayerWriter::add_inode(const Directory& parent, const std::string& name,
                            const std::string& path) {
  const Fd fd = parent.open_file(name, O_PATH);
  const struct stat st = stat_of(fd, path);
  if (!tar_type(st.st_mode)) {
    job_.observer.note(NoteLevel::warning, str("socket ", quoted(path), " is left out"));
    return;
  }
  TarMember member = describe(fd, st, path);
  if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) {
    const auto [first, is_first] = linked_.try_emplace({st.st_dev, st.st_ino}, path);
    if (!is_first) {
      member.type = TarType::hard_link;
      member.size = 0;
      member.link = first->second;
      return tar_.begin(member);
    }
  }
  if (member.type != TarType::file) return tar_.begin(member);
  FdSource file(parent.open_file(name, O_RDONLY | O_NONBLOCK), path);
  FixedSource content(file, member.size);
  tar_.add(member, content);
  if (content.padded()) {
    job_.observer.note(NoteLevel::warning,
                       str(quoted(path), " was made shorter meanwhile: zeros take the place"));
  }
}

const Directory& LayerWriter::parent_at(const std::string& path) {
  if (path != parent_path_) {
    parent_ = Directory(root_.resolve_in_root(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
                        root_.path_of(path));
    parent_path_ = path;
  }
  return parent_;
}

void LayerWriter::add(const std::string& path) {
  if (job_.stop.stop_requested()) throw Cancelled();
  if (path.empty()) {
    TarMember member = describe(root_.handle(), stat_of(root_.handle(), "/"), "");
    member.name = "./";
    return tar_.begin(member);
  }
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return add_inode(root_, path, path);
  add_inode(parent_at(path.substr(0, slash)), path.substr(slash + 1), path);
}

void LayerWriter::add_whiteout(const std::string& path) {
  TarMember member;
  member.name = whiteout_of(path);
  member.mode = 0;
  tar_.begin(member);
}

void write_layer(const Directory& after, const std::vector<Change>& changes, Sink& out,
                 const LayerWriterOptions& options, const Job& job) {
  LayerWriter writer(after, out, options, job);
  for (const Change& change : changes) {
    check_name(change.path);
    if (change.kind == ChangeKind::deleted) {
      writer.add_whiteout(change.path);
    } else {
      writer.add(change.path);
    }
  }
  writer.finish();
}

void write_tree(const Directory& root, Sink& out, const LayerWriterOptions& options,
                const Job& job) {
  LayerWriter writer(root, out, options, job);
  std::vector<std::string> waiting;
  const auto enter = [&](const std::string& path) {
    const Directory directory(path.empty()
                                  ? duplicate(root.handle())
                                  : root.resolve_in_root(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
                              path.empty() ? root.path() : root.path_of(path));
    std::vector<std::string> names = directory.list();
    // The last to wait is the next to be written.
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
      waiting.push_back(path.empty() ? *name : str(path, '/', *name));
    }
  };
  enter("");
  while (!waiting.empty()) {
    const std::string path = std::move(waiting.back());
    waiting.pop_back();
    writer.add(path);
    const Fd fd = root.resolve_in_root(path, O_PATH | O_NOFOLLOW);
    if (S_ISDIR(stat_of(fd, path).st_mode)) enter(path);
  }
  writer.finish();
}

}  // namespace lade::snapshot
