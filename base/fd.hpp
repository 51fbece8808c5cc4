// File descriptors with an owner, and the few whole-file operations built on them.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace lade {

/// Owns one file descriptor; closes it when destroyed. Not copyable.
class Fd {
 public:
  Fd() noexcept = default;
  /// Takes ownership of `number`; -1 is "none".
  explicit Fd(int number) noexcept : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.number_, -1));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  /// The descriptor's number, still owned here.
  int get() const noexcept { return number_; }
  /// Whether there is one.
  bool valid() const noexcept { return number_ >= 0; }
  /// Gives the number away; this object owns nothing afterwards.
  int release() noexcept { return std::exchange(number_, -1); }
  /// Closes what is owned and takes `number`.
  void reset(int number = -1) noexcept;

 private:
  int number_ = -1;
};

/// Both ends of a pipe, close-on-exec.
struct Pipe {
  Fd read;
  Fd write;
};

/// A new pipe. Throws SystemError.
Pipe make_pipe();

/// Opens `path` (O_CLOEXEC is added). Throws SystemError naming the path.
Fd open_file(const std::string& path, int flags, mode_t mode = 0);

/// Another descriptor for the same open file, close-on-exec.
Fd duplicate(const Fd& fd);

/// fstat() of `fd`. `what` names it in the error.
struct stat stat_of(const Fd& fd, std::string_view what);

/// Reads up to buffer.size() bytes, retrying EINTR; 0 means the end.
std::size_t read_some(const Fd& fd, std::span<std::byte> buffer, std::string_view what);

/// Writes all of `data`, retrying EINTR and short writes.
void write_all(const Fd& fd, std::span<const std::byte> data, std::string_view what);

/// The whole of a regular file, at most `cap` bytes; InvalidData if it is larger or not regular.
std::string read_whole(const Fd& fd, std::size_t cap, std::string_view what);

/// open_file() for reading and read_whole().
std::string read_file(const std::string& path, std::size_t cap);

/// The bytes of a text, for Sink::write and hashing.
inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// The text of some bytes; the caller keeps them alive.
inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace lade
