// gzip, RFC 1952: members of header, deflate data, CRC-32 and length, one after the other. What
// comes after the last member and is not a member is read and ignored, as GNU gzip does: zero
// padding is common, and whether the content is the right one is decided by its digest.
#include "base/gunzip.hpp"

#include "base/compress.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace lade {

namespace {

/// Bytes. The engine copies its 32 KiB of history whenever it runs out of input.
constexpr std::size_t k_input = 4 * k_copy_buffer;

enum HeaderFlags : unsigned {
  k_header_crc = 0x02,
  k_extra = 0x04,
  k_name = 0x08,
  k_comment = 0x10,
  k_reserved = 0xe0,
};

[[noreturn]] void throw_truncated() {
  throw InvalidData("gzip data ends before its end");
}

/// The compressed bytes, buffered, with room to step back over the last few of them.
class Input {
 public:
  explicit Input(Source& source) : source_(source), buffer_(k_input) {}

  /// What is there, at least one byte unless the source is at its end.
  std::span<const std::byte> peek() {
    if (position_ == end_) refill();
    return buffered();
  }
  /// What is there without reading.
  std::span<const std::byte> buffered() const {
    return std::span(buffer_).subspan(position_, end_ - position_);
  }
  void skip(std::size_t count) { position_ += count; }
  void step_back(std::size_t count) { position_ -= count; }

  /// The next byte; throws at the end.
  std::byte next() {
    const auto bytes = peek();
    if (bytes.empty()) throw_truncated();
    skip(1);
    return bytes[0];
  }

  /// Whether the next two bytes are these; takes nothing.
  bool starts_with(std::byte first, std::byte second) {
    const auto bytes = peek();
    if (bytes.empty() || bytes[0] != first) return false;
    skip(1);
    const auto rest = peek();
    const bool same = !rest.empty() && rest[0] == second;
    step_back(1);
    return same;
  }

 private:
  void refill() {
    const std::size_t kept = std::min(end_, InflateEngine::k_max_excess);
    std::memmove(buffer_.data(), buffer_.data() + end_ - kept, kept);
    position_ = end_ = kept;
    end_ += source_.read(std::span(buffer_).subspan(kept));
  }

  Source& source_;
  std::vector<std::byte> buffer_;
  std::size_t position_ = 0;
  std::size_t end_ = 0;
};

class GunzipSource final : public Source {
 public:
  GunzipSource(Source& compressed, std::unique_ptr<InflateEngine> engine)
      : input_(compressed), engine_(std::move(engine)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    while (!finished_) {
      if (!in_member_) start_member();
      const std::size_t produced = inflate(buffer);
      if (produced > 0) return produced;
    }
    return 0;
  }

 private:
  /// A byte of the header, counted into the header's checksum.
  unsigned header_byte() {
    const std::byte byte = input_.next();
    header_crc_ = gzip_crc32(header_crc_, std::span(&byte, 1));
    return std::to_integer<unsigned>(byte);
  }

  void skip_text() {
    while (header_byte() != 0) {
    }
  }

  void start_member() {
    header_crc_ = 0;
    if (header_byte() != 0x1f || header_byte() != 0x8b) throw InvalidData("not gzip data");
    if (header_byte() != 8) throw InvalidData("gzip data of an unknown compression method");
    const unsigned flags = header_byte();
    if ((flags & k_reserved) != 0) throw InvalidData("gzip header has reserved flags set");
    for (int i = 0; i < 6; ++i) header_byte();  // time, extra flags, operating system
    if ((flags & k_extra) != 0) {
      const unsigned low = header_byte();
      for (unsigned left = low | header_byte() << 8; left > 0; --left) header_byte();
    }
    if ((flags & k_name) != 0) skip_text();
    if ((flags & k_comment) != 0) skip_text();
    if ((flags & k_header_crc) != 0) {
      const unsigned expected = header_crc_ & 0xffff;
      const auto low = std::to_integer<unsigned>(input_.next());
      if ((low | std::to_integer<unsigned>(input_.next()) << 8) != expected) {
        throw InvalidData("gzip header does not match its checksum");
      }
    }
    engine_->reset();
    length_ = 0;
    in_member_ = true;
  }

  /// One step of the engine and what follows from it; the bytes produced.
  std::size_t inflate(std::span<std::byte> buffer) {
    // First without new input: the engine may hold output back that did not fit the last time.
    bool source_ended = false;
    for (;;) {
      const auto bytes = input_.buffered();
      const auto step = engine_->step(bytes, buffer);
      input_.skip(step.consumed);
      length_ += step.produced;
      if (step.finished) {
        input_.step_back(step.excess);
        finish_member();
      }
      if (step.finished || step.produced > 0) return step.produced;
      if (source_ended) throw_truncated();
      if (step.consumed == 0 && !bytes.empty()) throw InvalidData("gzip data is damaged");
      source_ended = input_.peek().empty();
    }
  }

  std::uint32_t trailer_number() {
    std::uint32_t number = 0;
    for (int shift = 0; shift < 32; shift += 8) {
      number |= std::to_integer<std::uint32_t>(input_.next()) << shift;
    }
    return number;
  }

  void finish_member() {
    if (trailer_number() != engine_->crc()) {
      throw InvalidData("gzip data does not match its checksum");
    }
    if (trailer_number() != static_cast<std::uint32_t>(length_)) {
      throw InvalidData("gzip data does not match its length");
    }
    in_member_ = false;
    if (input_.starts_with(std::byte{0x1f}, std::byte{0x8b})) return;
    finished_ = true;
    while (!input_.peek().empty()) input_.skip(input_.buffered().size());
  }

  Input input_;
  std::unique_ptr<InflateEngine> engine_;
  std::uint32_t header_crc_ = 0;
  std::uint64_t length_ = 0;
  bool in_member_ = false;
  bool finished_ = false;
};

}  // namespace

std::unique_ptr<Source> gunzip(Source& compressed, GzipDecoder decoder) {
  std::unique_ptr<InflateEngine> engine;
  if (decoder != GzipDecoder::zlib) engine = make_isal_engine();
  if (!engine && decoder == GzipDecoder::isal) return nullptr;
  if (!engine) engine = make_zlib_engine();
  return std::make_unique<GunzipSource>(compressed, std::move(engine));
}

}  // namespace lade
