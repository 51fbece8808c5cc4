#include "store/locked.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>

namespace lade::store {

namespace {

constexpr int k_attempts = 100;
constexpr std::chrono::milliseconds k_first_look{5};
constexpr std::chrono::milliseconds k_slowest_look{100};

void wait_for_lock(const Fd& fd, int kind, const std::string& what) {
  while (::flock(fd.get(), kind) != 0) {
    if (errno != EINTR) throw SystemError(errno, str("lock ", quoted(what)));
  }
}

bool try_to_lock(const Fd& fd, int kind) {
  if (::flock(fd.get(), kind | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK || errno == EINTR) return false;
  throw SystemError(errno, "lock a file of the store");
}

[[noreturn]] void fail_to_hold(const Directory& parent, const std::string& name) {
  throw Busy(str("lock ", quoted(parent.path_of(name)), ": it is taken away again and again"));
}

}  // namespace

void lock_exclusively(const Fd& fd, const std::string& what) {
  wait_for_lock(fd, LOCK_EX, what);
}

bool try_lock(const Fd& fd) {
  return try_to_lock(fd, LOCK_EX);
}

void lock_shared(const Fd& fd, const std::string& what) {
  wait_for_lock(fd, LOCK_SH, what);
}

bool try_lock_shared(const Fd& fd) {
  return try_to_lock(fd, LOCK_SH);
}

Patience::Patience(std::stop_token stop, std::function<void()> on_wait, int quiet)
    : stop_(std::move(stop)), on_wait_(std::move(on_wait)), quiet_(quiet), pause_(k_first_look) {}

void Patience::wait() {
  if (quiet_-- == 0 && on_wait_) on_wait_();
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop_, pause_, [] { return false; });
  if (stop_.stop_requested()) throw Cancelled();
  pause_ = std::min(pause_ * 2, k_slowest_look);
}

bool still_there(const Directory& parent, const std::string& name, const Fd& fd) {
  const auto named = parent.find_stat(name);
  const struct stat held = stat_of(fd, name);
  return named && named->st_dev == held.st_dev && named->st_ino == held.st_ino;
}

std::optional<Directory> make_locked_directory(const Directory& parent, const std::string& name) {
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    if (::mkdirat(parent.fd(), name.c_str(), 0700) != 0) {
      if (errno == EEXIST) return std::nullopt;
      throw SystemError(errno, str("make directory ", quoted(parent.path_of(name))));
    }
    Fd fd(::openat(parent.fd(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.valid() || !try_lock(fd) || !still_there(parent, name, fd)) continue;
    if (::fchmod(fd.get(), 0700) != 0) {
      const int code = errno;
      ::unlinkat(parent.fd(), name.c_str(), AT_REMOVEDIR);
      throw SystemError(code, str("chmod ", quoted(parent.path_of(name))));
    }
    return Directory(std::move(fd), parent.path_of(name));
  }
  fail_to_hold(parent, name);
}

std::optional<Fd> make_locked_file(const Directory& parent, const std::string& name) {
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    Fd fd(::openat(parent.fd(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                   0600));
    if (!fd.valid()) {
      if (errno == EEXIST) return std::nullopt;
      throw SystemError(errno, str("make file ", quoted(parent.path_of(name))));
    }
    if (try_lock(fd) && still_there(parent, name, fd)) return fd;
  }
  fail_to_hold(parent, name);
}

std::string unique_name(const std::string& prefix) {
  static std::atomic<unsigned> counter = 0;
  return str(prefix, '.', ::getpid(), '.', counter.fetch_add(1));
}

std::optional<Fd> claim_abandoned(const Directory& parent, const std::string& name) {
  const int number =
      ::openat(parent.fd(), name.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (number < 0) {
    if (errno == ENOENT) return std::nullopt;
    throw SystemError(errno, str("open ", quoted(parent.path_of(name))));
  }
  Fd fd(number);
  if (!try_lock(fd) || !still_there(parent, name, fd)) return std::nullopt;
  return fd;
}

}  // namespace lade::store
