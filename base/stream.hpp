// Bytes flow through Source (pulled) and Sink (pushed); decorators of a few dozen lines hash,
// count, verify and inflate them on the way. Memory is the sum of the decorators' buffers.
#pragma once

#include "base/fd.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace lade {

/// Where bytes come from.
class Source {
 public:
  virtual ~Source() = default;
  /// Reads 1..buffer.size() bytes into `buffer`; 0 means the end, and only the end. Throws on
  /// failure.
  virtual std::size_t read(std::span<std::byte> buffer) = 0;
};

/// Where bytes go.
class Sink {
 public:
  virtual ~Sink() = default;
  /// Takes all of `data` or throws.
  virtual void write(std::span<const std::byte> data) = 0;
};

/// How many bytes the copy loops move at a time.
inline constexpr std::size_t k_copy_buffer = 64 * 1024;

/// The one copy loop: everything from `source` to `sink`; returns the number of bytes. Throws
/// Cancelled when `stop` is requested.
std::uint64_t pump(Source& source, Sink& sink, const std::stop_token& stop = {});

/// Reads to the end into memory, at most `cap` bytes (InvalidData beyond, naming `what`).
std::string read_all(Source& source, std::size_t cap, std::string_view what);

/// Reads a descriptor from its current position to its end.
class FdSource final : public Source {
 public:
  FdSource(Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
  std::size_t read(std::span<std::byte> buffer) override;

 private:
  Fd fd_;
  std::string name_;
};

/// Writes to a descriptor that the caller keeps open.
class FdSink final : public Sink {
 public:
  FdSink(const Fd& fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  void write(std::span<const std::byte> data) override;

 private:
  const Fd& fd_;
  std::string name_;
};

/// Reads a text that it owns.
class StringSource final : public Source {
 public:
  explicit StringSource(std::string text) : text_(std::move(text)) {}
  std::size_t read(std::span<std::byte> buffer) override;

 private:
  std::string text_;
  std::size_t position_ = 0;
};

/// Collects what is written.
class StringSink final : public Sink {
 public:
  void write(std::span<const std::byte> data) override { text_ += as_text(data); }
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

/// Passes everything through and shows each piece to `see` first: for tee, hash and count. When
/// `see` throws, read() does, and the piece is not delivered.
class TapSource final : public Source {
 public:
  using See = std::function<void(std::span<const std::byte>)>;
  TapSource(Source& inner, See see) : inner_(inner), see_(std::move(see)) {}
  std::size_t read(std::span<std::byte> buffer) override;

 private:
  Source& inner_;
  See see_;
};

}  // namespace lade
