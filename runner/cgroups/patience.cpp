#include "runner/cgroups/patience.hpp"

#include "base/fd.hpp"
#include "runner/cgroups/control.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace lade::runner {

namespace {

constexpr std::chrono::milliseconds k_longest_sleep{10};
constexpr std::chrono::milliseconds k_longest_poll{100};

}  // namespace

void Patience::a_little() {
  std::this_thread::sleep_for(next_);
  next_ = std::min<std::chrono::microseconds>(next_ * 2, k_longest_sleep);
}

bool Patience::for_event(const Directory& cgroup, const std::string& file, const std::string& key,
                         std::uint64_t value) {
  const Fd fd(::openat(cgroup.fd(), file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) return false;
  const auto end = std::min(end_, std::chrono::steady_clock::now() + k_longest_poll);
  for (;;) {
    // The poll reports changes since this read.
    char text[512];
    const ssize_t count = ::pread(fd.get(), text, sizeof text, 0);
    if (count < 0) return false;
    const std::string_view read(text, static_cast<std::size_t>(count));
    if (find_keyed_number(read, key) == value) return true;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd waiting{fd.get(), POLLPRI, 0};
    if (::poll(&waiting, 1, static_cast<int>(left.count())) < 0) return false;
  }
}

}  // namespace lade::runner
