#include "base/compress.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cstring>

namespace lade {

namespace {

constexpr int k_gzip_level = 6;
constexpr int k_zstd_level = 3;

/// The bytes as they are.
class PlainSource final : public Source {
 public:
  explicit PlainSource(Source& inner) : inner_(inner) {}
  std::size_t read(std::span<std::byte> buffer) override { return inner_.read(buffer); }

 private:
  Source& inner_;
};

/// Decides at the first read, so that making it reads nothing.
class DecompressSource final : public Source {
 public:
  explicit DecompressSource(Source& compressed) : sniffed_(compressed) {}

  std::size_t read(std::span<std::byte> buffer) override {
    if (!started_) start();
    return decoder_ ? decoder_->read(buffer) : sniffed_.read(buffer);
  }

 private:
  void start() {
    const Compression format = sniffed_.sniff();
    if (format == Compression::gzip) decoder_ = gunzip(sniffed_, GzipDecoder::automatic);
    if (format == Compression::zstd) decoder_ = unzstd(sniffed_);
    if (format == Compression::xz) decoder_ = unxz(sniffed_);
    started_ = true;
  }

  SniffedSource sniffed_;
  std::unique_ptr<Source> decoder_;
  bool started_ = false;
};

}  // namespace

Compression SniffedSource::sniff() {
  while (size_ < head_.size()) {
    const std::size_t count = inner_.read(std::span(head_).subspan(size_));
    if (count == 0) break;
    size_ += count;
  }
  return find_compression(std::span(head_).first(size_));
}

std::size_t SniffedSource::read(std::span<std::byte> buffer) {
  if (position_ == size_) return inner_.read(buffer);
  const std::size_t count = std::min(buffer.size(), size_ - position_);
  std::memcpy(buffer.data(), head_.data() + position_, count);
  position_ += count;
  return count;
}

Compression find_compression(std::span<const std::byte> bytes) {
  const std::string_view head = as_text(bytes.first(std::min(bytes.size(), k_compression_head)));
  if (head.starts_with("\x1f\x8b")) return Compression::gzip;
  if (head.starts_with("\x28\xb5\x2f\xfd")) return Compression::zstd;
  // A skippable frame, whose first byte is 0x50 to 0x5f: pzstd begins with one.
  if (head.substr(0, 4).ends_with("\x2a\x4d\x18") && (head[0] & 0xf0) == 0x50) {
    return Compression::zstd;
  }
  if (head.starts_with(std::string_view("\xfd"
                                        "7zXZ\0",
                                        6)))
    return Compression::xz;
  if (head.starts_with("BZh") && head.ends_with("1AY&SY")) {
    throw InvalidData("bzip2 is not supported: unpack it with `bunzip2` first");
  }
  return Compression::none;
}

std::string_view name_of(Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return "gzip";
    case Compression::zstd:
      return "zstd";
    case Compression::xz:
      return "xz";
    default:
      return "none";
  }
}

std::unique_ptr<Source> decompress(Source& compressed) {
  return std::make_unique<DecompressSource>(compressed);
}

std::unique_ptr<Source> compress(Source& plain, Compression format, std::optional<int> level) {
  switch (format) {
    case Compression::gzip:
      return gzip(plain, level.value_or(k_gzip_level));
    case Compression::zstd:
      return zstd(plain, level.value_or(k_zstd_level));
    case Compression::none:
      return std::make_unique<PlainSource>(plain);
    default:
      throw Error(str("nothing is compressed by ", name_of(format)));
  }
}

}  // namespace lade
