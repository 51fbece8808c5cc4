#include "snapshot/path_walk.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "snapshot/layer_tree.hpp"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

namespace lade::snapshot {

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

}  // namespace lade::snapshot
