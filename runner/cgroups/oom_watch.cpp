// Being told that a container ran out of memory.

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/cgroups/control.hpp"
#include "runner/cgroups/statistics.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>

namespace lade::runner {

namespace {

constexpr const char* k_v1_file = "memory.oom_control";
constexpr const char* k_v2_file = "memory.events";

std::optional<std::uint64_t> count_in(const Directory& cgroup, const std::string& file) {
  try {
    const std::optional<std::string> text = find_control(cgroup, file);
    if (!text) return std::nullopt;
    return find_keyed_number(*text, "oom_kill").value_or(0);
  } catch (const SystemError& error) {
    if (error.code() == ENODEV || error.code() == ENOENT) return std::nullopt;
    throw;
  }
}

}  // namespace

OomWatch::OomWatch(const Cgroup& cgroup) {
  const Directory* memory = cgroup.find_directory("memory");
  if (memory == nullptr) {
    throw Error(str("watch cgroup ", quoted(cgroup.path()), ": nobody counts its memory"));
  }
  const auto what = [&] { return str("watch the memory of cgroup ", quoted(memory->path())); };
  directory_ = Directory(duplicate(memory->handle()), memory->path());
  if (memory->exists(k_v2_file)) {
    file_ = k_v2_file;
    watched_ = directory_.open_file(file_, O_RDONLY);
    fd_ = Fd(check_syscall(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK), what));
    const std::string path = str("/proc/self/fd/", watched_.get());
    check_syscall(::inotify_add_watch(fd_.get(), path.c_str(), IN_MODIFY | IN_DELETE_SELF), what);
  } else {
    file_ = k_v1_file;
    watched_ = directory_.open_file(file_, O_RDONLY);
    fd_ = Fd(check_syscall(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), what));
    set_control(directory_, "cgroup.event_control", str(fd_.get(), ' ', watched_.get()));
  }
  seen_ = count_in(directory_, file_).value_or(0);
}

std::optional<std::uint64_t> OomWatch::take() {
  char events[4096];
  while (::read(fd_.get(), events, sizeof events) > 0) {
  }
  const std::optional<std::uint64_t> count = count_in(directory_, file_);
  if (!count) return std::nullopt;
  return *count - std::exchange(seen_, *count);
}

}  // namespace lade::runner
