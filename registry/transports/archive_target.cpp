#include "registry/transports/archive_target.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/transports/regular_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

namespace lade::registry {

namespace {

/// How much is copied between two looks at a stop request (bytes).
constexpr std::uint64_t k_range = std::uint64_t{16} << 20;

/// Where a link leads, so that what is replaced is the file and not the link. Those of /dev and
/// /proc stand for open files, which are written to and not replaced.
std::string without_links(const std::string& path) {
  struct stat st {};
  const bool is_link = ::lstat(path.c_str(), &st) == 0 && S_ISLNK(st.st_mode);
  if (!is_link || path.starts_with("/dev/") || path.starts_with("/proc/")) return path;
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real ? real.get() : path;
}

std::string directory_part(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_part(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  if (name.empty() || name == "." || name == "..") {
    throw UsageError(str(lade::quoted(path), " is not the path of a file"));
  }
  return name;
}

/// Opens what is there and is no regular file; nothing valid otherwise.
Fd open_stream(const Directory& directory, const std::string& name, const std::string& path) {
  const auto found = directory.find_stat(name);
  if (!found || S_ISREG(found->st_mode)) return {};
  Fd stream = open_file(path, O_WRONLY | O_CREAT, 0644);
  const struct stat st = stat_of(stream, path);
  if (S_ISREG(st.st_mode) && st.st_size > 0) {
    throw SystemError(EEXIST, str("write ", lade::quoted(path)));
  }
  return stream;
}

/// One step in the kernel; 0 if it cannot be done there.
std::uint64_t try_kernel_copy(const Fd& from, std::uint64_t offset, std::uint64_t size,
                              const Fd& to) {
  auto position = static_cast<off64_t>(offset);
  const ssize_t count = ::copy_file_range(from.get(), &position, to.get(), nullptr,
                                          static_cast<std::size_t>(std::min(size, k_range)), 0);
  return count > 0 ? static_cast<std::uint64_t>(count) : 0;
}

}  // namespace

ArchiveTarget::ArchiveTarget(const std::string& path, const std::string& temporary_directory)
    : path_(without_links(path)),
      name_(name_part(path_)),
      directory_(Directory::open(directory_part(path_))),
      stream_(open_stream(directory_, name_, path_)),
      waiting_(Directory::open(is_stream() ? temporary_directory : directory_part(path_))) {}

std::optional<std::uint64_t> ArchiveTarget::find_size() const {
  if (is_stream()) return std::nullopt;
  const auto found = directory_.find_stat(name_);
  if (!found) return std::nullopt;
  return static_cast<std::uint64_t>(found->st_size);
}

Fd ArchiveTarget::lock(const std::stop_token& stop) const {
  if (is_stream()) return {};
  Directory held = directory_.child(".");
  wait_for_lock(held.handle(), directory_.path(), stop);
  return duplicate(held.handle());
}

const Fd& ArchiveTarget::begin() {
  if (is_stream()) return stream_;
  return file_.emplace(directory_).file();
}

void ArchiveTarget::publish(Existing existing) {
  if (!file_) return;
  try {
    file_->publish(name_, existing);
  } catch (...) {
    file_.reset();
    throw;
  }
  file_.reset();
}

void copy_range(const Fd& from, std::uint64_t offset, std::uint64_t size, const Fd& to,
                const std::string& path, const std::stop_token& stop) {
  std::vector<std::byte> buffer;
  while (size > 0) {
    if (stop.stop_requested()) throw Cancelled();
    std::uint64_t count = buffer.empty() ? try_kernel_copy(from, offset, size, to) : 0;
    if (count == 0) {
      buffer.resize(k_copy_buffer);
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, buffer.size()));
      const ssize_t got = ::pread(from.get(), buffer.data(), wanted, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      check_syscall(got, [] { return std::string("read a file that waits"); });
      if (got == 0) throw InvalidData("a file became shorter while it was read");
      count = static_cast<std::uint64_t>(got);
      write_all(to, std::span(buffer).first(static_cast<std::size_t>(count)), path);
    }
    offset += count;
    size -= count;
  }
}

}  // namespace lade::registry
