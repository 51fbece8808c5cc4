#include "runner/stdio.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/devices.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <string>

namespace lade::runner {

namespace {

/// What a pipe takes at once without blocking once poll() has called it writable.
constexpr std::size_t k_piece = 4096;

constexpr std::byte k_eof_character{4};

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

bool is_ready(const std::vector<pollfd>& polls, int fd, short events) {
  return std::any_of(polls.begin(), polls.end(), [&](const pollfd& poll) {
    return poll.fd == fd && (poll.events & events) != 0 && poll.revents != 0;
  });
}

/// A process that opens /dev/stdout, that is this pipe anew, must be allowed to. A file or a device
/// of the caller's keeps its owner.
void give_pipe(int fd, const ResolvedUser& user) {
  struct statfs fs {};
  if (user.uid == 0 || ::fstatfs(fd, &fs) != 0 || fs.f_type != PIPEFS_MAGIC) return;
  check_syscall(::fchown(fd, user.uid, static_cast<gid_t>(-1)),
                [] { return std::string("give a pipe to the user"); });
}

}  // namespace

void Relay::add_polls(std::vector<pollfd>& polls) const {
  if (done_) return;
  if (buffer_.empty()) {
    polls.push_back({source_, POLLIN, 0});
  } else {
    polls.push_back({target_, POLLOUT, 0});
  }
}

void Relay::step(const std::vector<pollfd>& polls) {
  if (done_) return;
  if (buffer_.empty()) {
    if (is_ready(polls, source_, POLLIN)) fill();
  } else if (is_ready(polls, target_, POLLOUT)) {
    flush();
  }
}

bool Relay::fill() {
  buffer_.resize(k_piece);
  const ssize_t count = ::read(source_, buffer_.data(), buffer_.size());
  const int code = errno;
  buffer_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  if (count > 0) return true;
  if (count < 0 && (code == EINTR || code == EAGAIN)) return false;
  // EIO is how the master of a terminal sees that the last slave has closed.
  source_ended_ = true;
  if (at_end_ == AtEnd::send_eof_character) {
    buffer_.assign(1, k_eof_character);
  } else {
    finish();
  }
  return false;
}

bool Relay::flush() {
  const ssize_t count = ::write(target_, buffer_.data(), buffer_.size());
  if (count < 0) {
    if (errno == EINTR || errno == EAGAIN) return false;
    finish();  // Nobody reads any more; the container gets SIGPIPE from the closed pipe.
    return false;
  }
  buffer_.erase(buffer_.begin(), buffer_.begin() + count);
  if (buffer_.empty() && source_ended_) finish();
  return true;
}

void Relay::finish() {
  done_ = true;
  buffer_.clear();
  owned_.reset();
}

void Relay::drain(int patience_ms) {
  while (!done_) {
    pollfd wait = buffer_.empty() ? pollfd{source_, POLLIN, 0} : pollfd{target_, POLLOUT, 0};
    // A slow reader of ours is waited for; a source without more to say is not.
    const int ready = ::poll(&wait, 1, buffer_.empty() ? patience_ms : -1);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return;
    if (buffer_.empty()) {
      fill();
    } else {
      flush();
    }
  }
}

ContainerStdio prepare_stdio(Stdin mode, std::vector<Relay>& relays) {
  ContainerStdio stdio;
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    const auto index = static_cast<std::size_t>(stream);
    const bool input = stream == STDIN_FILENO;
    if (!is_open(stream) || (input && mode == Stdin::closed)) {
      stdio.kinds[index] = StreamKind::null;
    } else if (::isatty(stream) == 1) {
      Pipe pipe = make_pipe();
      stdio.kinds[index] = StreamKind::piped;
      if (input) {
        relays.emplace_back(stream, pipe.write.get(), Relay::AtEnd::close_owned);
        relays.back().own(std::move(pipe.write));
        stdio.ends[index] = std::move(pipe.read);
      } else {
        relays.emplace_back(pipe.read.get(), stream, Relay::AtEnd::close_owned);
        relays.back().own(std::move(pipe.read));
        stdio.ends[index] = std::move(pipe.write);
      }
    } else {
      stdio.kinds[index] = StreamKind::inherited;
    }
  }
  return stdio;
}

ContainerStdio inherit_stdio() {
  ContainerStdio stdio;
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    stdio.kinds[static_cast<std::size_t>(stream)] =
        is_open(stream) ? StreamKind::inherited : StreamKind::null;
  }
  return stdio;
}

void connect_stdio(const Rootfs& root, const ContainerStdio& stdio, const Fd& slave,
                   const ResolvedUser& user) {
  for (int stream = 0; stream < 3; ++stream) {
    const auto index = static_cast<std::size_t>(stream);
    Fd null;
    int from = stream;
    if (slave.valid()) {
      from = slave.get();
    } else if (stdio.kinds[index] == StreamKind::null) {
      null = open_null_device(root, O_RDWR);
      from = null.get();
    } else {
      if (stdio.kinds[index] == StreamKind::piped) from = stdio.ends[index].get();
      give_pipe(from, user);
    }
    if (from == stream) {
      null.release();  // The stream was closed, so that the null device has become it.
      check_syscall(::fcntl(stream, F_SETFD, 0),
                    [] { return std::string("keep a standard stream"); });
    } else {
      check_syscall(::dup2(from, stream), [&] { return str("connect standard stream ", stream); });
    }
  }
}

}  // namespace lade::runner
