#include "snapshot/copy_up.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "snapshot/layer_tree.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lade::snapshot {

namespace {

void copy_data(const Fd& file, const Fd& out, std::uint64_t size, const std::string& name) {
  const Fd in = open_file(str("/proc/self/fd/", file.get()), O_RDONLY | O_NONBLOCK);
  std::uint64_t left = size;
  while (left > 0) {
    const ssize_t count = ::copy_file_range(in.get(), nullptr, out.get(), nullptr, left, 0);
    if (count < 0 && (errno == EXDEV || errno == EOPNOTSUPP || errno == EINVAL)) break;
    check_syscall(count, [&] { return str("copy ", quoted(name)); });
    if (count == 0) break;
    left -= static_cast<std::uint64_t>(count);
  }
  if (left == 0) return;
  // Where the kernel does not copy between these two by itself.
  std::vector<std::byte> buffer(64 * 1024);
  while (const std::size_t count = read_some(in, buffer, name)) {
    write_all(out, std::span(buffer).first(count), name);
  }
}

std::string link_target(const Fd& link, const std::string& name) {
  char target[PATH_MAX];
  const ssize_t length = check_syscall(::readlinkat(link.get(), "", target, sizeof target),
                                       [&] { return str("read link ", quoted(name)); });
  return std::string(target, static_cast<std::size_t>(length));
}

}  // namespace

void copy_up(const Fd& file, XattrsOf where, const Directory& target, const std::string& name,
             MetadataWriter& metadata) {
  const struct stat st = stat_of(file, name);
  if (S_ISDIR(st.st_mode) || is_whiteout(st)) {
    throw InvalidData(str("hard link to ", quoted(name), ", which is no file below"));
  }
  const Attributes attributes = read_attributes(file, name, where);
  if (S_ISREG(st.st_mode)) {
    const Fd out = target.open_file(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    copy_data(file, out, static_cast<std::uint64_t>(st.st_size), name);
    metadata.apply(out, attributes, name);
    return;
  }
  const bool link = S_ISLNK(st.st_mode);
  check_syscall(link ? ::symlinkat(link_target(file, name).c_str(), target.fd(), name.c_str())
                     : ::mknodat(target.fd(), name.c_str(), st.st_mode, st.st_rdev),
                [&] { return str("make ", quoted(name)); });
  metadata.apply_at(target, name, link ? EntryType::symlink : EntryType::fifo, attributes, name);
}

}  // namespace lade::snapshot
