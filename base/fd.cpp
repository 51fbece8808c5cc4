#include "base/fd.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace lade {

void Fd::reset(int number) noexcept {
  if (number_ >= 0) ::close(number_);
  number_ = number;
}

Pipe make_pipe() {
  int ends[2];
  check_syscall(::pipe2(ends, O_CLOEXEC), [] { return std::string("pipe"); });
  return {Fd(ends[0]), Fd(ends[1])};
}

Fd open_file(const std::string& path, int flags, mode_t mode) {
  return Fd(check_syscall(::open(path.c_str(), flags | O_CLOEXEC, mode),
                          [&] { return str("open ", quoted(path)); }));
}

Fd duplicate(const Fd& fd) {
  return Fd(check_syscall(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3),
                          [] { return std::string("duplicate a file descriptor"); }));
}

struct stat stat_of(const Fd& fd, std::string_view what) {
  struct stat st {};
  check_syscall(::fstat(fd.get(), &st), [&] { return str("stat ", quoted(what)); });
  return st;
}

std::size_t read_some(const Fd& fd, std::span<std::byte> buffer, std::string_view what) {
  for (;;) {
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) throw SystemError(errno, str("read ", quoted(what)));
  }
}

void write_all(const Fd& fd, std::span<const std::byte> data, std::string_view what) {
  while (!data.empty()) {
    const ssize_t count = ::write(fd.get(), data.data(), data.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      throw SystemError(errno, str("write ", quoted(what)));
    }
    data = data.subspan(static_cast<std::size_t>(count));
  }
}

std::string read_whole(const Fd& fd, std::size_t cap, std::string_view what) {
  const struct stat st = stat_of(fd, what);
  if (!S_ISREG(st.st_mode)) throw InvalidData(str("read ", quoted(what), ": not a regular file"));
  std::string text;
  std::byte buffer[16384];
  while (const std::size_t count = read_some(fd, buffer, what)) {
    text += as_text(std::span(buffer, count));
    if (text.size() > cap) {
      throw InvalidData(str("read ", quoted(what), ": larger than ", human_size(cap)));
    }
  }
  return text;
}

std::string read_file(const std::string& path, std::size_t cap) {
  return read_whole(open_file(path, O_RDONLY | O_NONBLOCK), cap, path);
}

}  // namespace lade
