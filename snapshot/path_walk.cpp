#include "snapshot/path_walk.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "snapshot/layer_path.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

namespace lade::snapshot {

std::optional<Fd> find_without_links(const Directory& root, const std::string& path, int flags) {
  struct open_how how {};
  // With O_PATH the last component may be a link, which is then opened itself.
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC | O_NOFOLLOW);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
  const char* text = path.empty() ? "." : path.c_str();
  const long fd = ::syscall(SYS_openat2, root.fd(), text, &how, sizeof how);
  if (fd >= 0) return Fd(static_cast<int>(fd));
  if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return std::nullopt;
  throw SystemError(errno, str("open ", quoted(path), " in ", quoted(root.path())));
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

void push_components(std::vector<std::string>& left, std::string_view path) {
  auto parts = split(path, '/');
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (!part->empty() && *part != ".") left.push_back(std::move(*part));
  }
}

std::string read_link(const Directory& parent, const std::string& name) {
  char target[PATH_MAX];
  const ssize_t length =
      check_syscall(::readlinkat(parent.fd(), name.c_str(), target, sizeof target),
                    [&] { return str("read link ", quoted(name)); });
  return std::string(target, static_cast<std::size_t>(length));
}

Directory open_without_links(const Directory& root, const std::string& path) {
  auto fd = find_without_links(root, path, O_RDONLY | O_DIRECTORY);
  if (!fd) throw SystemError(ENOENT, str("open ", quoted(path), " in ", quoted(root.path())));
  return {std::move(*fd), path.empty() ? root.path() : root.path_of(path)};
}

std::optional<std::string> follow_path(const std::string& path, const Look& look) {
  std::vector<std::string> left;
  push_components(left, path);
  std::string at;
  int links = 0;
  while (!left.empty()) {
    const std::string name = std::move(left.back());
    left.pop_back();
    if (name == "..") {
      at = parent_of(at);
      continue;
    }
    std::string child = join_path(at, name);
    const auto found = look(child);
    if (!found) return std::nullopt;
    if (S_ISLNK(found->st.st_mode)) {
      if (++links > k_link_cap) return std::nullopt;
      const std::string target = read_link(found->directory, found->name);
      push_components(left, target);
      if (target.starts_with('/')) at.clear();
    } else if (S_ISDIR(found->st.st_mode)) {
      at = std::move(child);
    } else {
      return std::nullopt;
    }
  }
  return at;
}

std::optional<Found> look_in(const Directory& root, const std::string& path) {
  const std::string parent = parent_of(path);
  auto fd = find_without_links(root, parent, O_RDONLY | O_DIRECTORY);
  if (!fd) return std::nullopt;
  Found found{{std::move(*fd), parent.empty() ? root.path() : root.path_of(parent)}, {}, {}};
  found.name = path.substr(path.rfind('/') + 1);
  const auto st = found.directory.find_stat(found.name);
  if (!st) return std::nullopt;
  found.st = *st;
  return found;
}

}  // namespace lade::snapshot
