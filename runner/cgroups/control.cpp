#include "runner/cgroups/control.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

#include <linux/openat2.h>

namespace lade::runner {

namespace {

constexpr std::size_t k_largest_control = 64 * 1024 * 1024;

}  // namespace

int write_control(const Directory& cgroup, const std::string& file, std::string_view value) {
  const Fd fd(::openat(cgroup.fd(), file.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) return errno;
  for (;;) {
    if (::write(fd.get(), value.data(), value.size()) >= 0) return 0;
    if (errno != EINTR) return errno;
  }
}

void set_control(const Directory& cgroup, const std::string& file, std::string_view value) {
  const int code = write_control(cgroup, file, value);
  if (code == 0) return;
  throw SystemError(code, str("write ", quoted(value), " to ", quoted(cgroup.path_of(file))));
}

std::optional<std::string> find_control(const Directory& cgroup, const std::string& file) {
  const Fd fd(::openat(cgroup.fd(), file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) {
    if (errno == ENOENT) return std::nullopt;
    throw SystemError(errno, str("open ", quoted(cgroup.path_of(file))));
  }
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
    if (count == 0) break;
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno == ENODEV || errno == EOPNOTSUPP) return std::nullopt;
      throw SystemError(errno, str("read ", quoted(cgroup.path_of(file))));
    }
    text.append(buffer, static_cast<std::size_t>(count));
    if (text.size() > k_largest_control) {
      throw InvalidData(str("read ", quoted(cgroup.path_of(file)), ": too large"));
    }
  }
  return std::string(trim(text));
}

std::optional<std::uint64_t> find_control_number(const Directory& cgroup, const std::string& file) {
  const std::optional<std::string> text = find_control(cgroup, file);
  return text ? parse_number<std::uint64_t>(*text) : std::nullopt;
}

std::optional<std::uint64_t> find_keyed_number(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ') {
      return parse_number<std::uint64_t>(trim(line.substr(key.size() + 1)));
    }
  }
  return std::nullopt;
}

std::vector<std::string> cgroups_below(const Directory& cgroup) {
  std::vector<std::string> names;
  // Each directory below adds a link, so that the usual case of none needs no listing.
  const struct stat own = stat_of(cgroup.handle(), cgroup.path());
  if (own.st_nlink == 2) return names;
  for (std::string& name : cgroup.list()) {
    const std::optional<struct stat> st = cgroup.find_stat(name);
    if (st && S_ISDIR(st->st_mode)) names.push_back(std::move(name));
  }
  return names;
}

int open_cgroup(const Fd& mount_point, const std::string& path) noexcept {
  const char* below = path.c_str();
  while (*below == '/') ++below;
  struct open_how how {};
  how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  return static_cast<int>(
      ::syscall(SYS_openat2, mount_point.get(), *below == '\0' ? "." : below, &how, sizeof how));
}

Fd open_mount_point(const std::string& path) {
  return lade::open_file(path, O_PATH | O_DIRECTORY);
}

}  // namespace lade::runner
