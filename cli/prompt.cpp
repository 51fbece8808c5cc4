#include "cli/prompt.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "cli/output.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <functional>

namespace lade::cli {

namespace {

constexpr std::size_t k_input_cap = 64 * 1024;

/// The terminal without echo, and without the keys that would stop or kill this process before it
/// could put that right again; ^C is left, since it is caught.
class HiddenTyping {
 public:
  HiddenTyping() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) {
      Error error("read the password: standard input is not a terminal");
      error.set_hint("give it with --password-stdin");
      throw error;
    }
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    hidden.c_lflag |= ICANON | ISIG;
    hidden.c_iflag |= ICRNL;
    hidden.c_cc[VQUIT] = _POSIX_VDISABLE;
    hidden.c_cc[VSUSP] = _POSIX_VDISABLE;
    check_syscall(::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden),
                  [] { return std::string("turn the terminal's echo off"); });
  }
  HiddenTyping(const HiddenTyping&) = delete;
  HiddenTyping& operator=(const HiddenTyping&) = delete;
  ~HiddenTyping() { ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_); }

 private:
  termios before_{};
};

/// Standard input, read no further than asked for, until a stop is requested.
class Input {
 public:
  explicit Input(const std::stop_token& stop) : stop_(stop) {}

  /// The next byte; nothing at the end.
  std::optional<char> next() {
    std::array<pollfd, 2> watched{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0}};
    for (;;) {
      const int count = ::poll(watched.data(), watched.size(), -1);
      if (stop_.stop_requested()) throw Cancelled();
      if (count < 0 && errno != EINTR) throw SystemError(errno, "poll");
      if (count <= 0) continue;
      char c = 0;
      const ssize_t got = ::read(STDIN_FILENO, &c, 1);
      if (got == 1) return c;
      if (got == 0) return std::nullopt;
      if (errno != EINTR && errno != EAGAIN) throw SystemError(errno, "read standard input");
    }
  }

 private:
  std::stop_token stop_;
  Fd wake_{check_syscall(::eventfd(0, EFD_CLOEXEC), [] { return std::string("eventfd"); })};
  std::stop_callback<std::function<void()>> on_stop_{stop_,
                                                     [this] { ::eventfd_write(wake_.get(), 1); }};
};

std::optional<std::string> read_line(const std::stop_token& stop) {
  Input input(stop);
  std::string line;
  for (;;) {
    const auto c = input.next();
    if (!c && line.empty()) return std::nullopt;
    if (!c || *c == '\n') break;
    line += *c;
    if (line.size() > k_input_cap) throw InvalidData("standard input: the line is too long");
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace

std::optional<std::string> ask(std::string_view question, Echo echo, const std::stop_token& stop) {
  if (echo == Echo::shown) {
    write_result(question);
    return read_line(stop);
  }
  std::optional<std::string> line;
  {
    const HiddenTyping hidden;
    write_result(question);
    line = read_line(stop);
  }
  write_result("\n");
  return line;
}

std::string read_input(const std::stop_token& stop) {
  Input input(stop);
  std::string text;
  while (const auto c = input.next()) {
    text += *c;
    if (text.size() > k_input_cap) throw InvalidData("standard input: it is too long");
  }
  return text;
}

}  // namespace lade::cli
