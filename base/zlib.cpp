// The only file that knows zlib.
#include "base/compress.hpp"
#include "base/error.hpp"
#include "base/gunzip.hpp"
#include "base/text.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>
#include <vector>

namespace lade {

namespace {

/// zlib counts in unsigned int.
uInt clamp(std::size_t size) {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

class ZlibEngine final : public InflateEngine {
 public:
  ZlibEngine() {
    // Negative window bits: raw deflate, no header and no trailer.
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  }
  ZlibEngine(const ZlibEngine&) = delete;
  ZlibEngine& operator=(const ZlibEngine&) = delete;
  ~ZlibEngine() override { inflateEnd(&stream_); }

  void reset() override {
    inflateReset(&stream_);
    crc_ = 0;
  }

  Step step(std::span<const std::byte> input, std::span<std::byte> output) override {
    const uInt in = clamp(input.size());
    const uInt out = clamp(output.size());
    stream_.next_in = reinterpret_cast<z_const Bytef*>(const_cast<std::byte*>(input.data()));
    stream_.avail_in = in;
    stream_.next_out = reinterpret_cast<Bytef*>(output.data());
    stream_.avail_out = out;
    const int code = inflate(&stream_, Z_NO_FLUSH);
    if (code == Z_MEM_ERROR) throw std::bad_alloc();
    // Z_BUF_ERROR is no error: nothing could be done with what was given.
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      throw InvalidData(
          str("gzip data is damaged: ", stream_.msg != nullptr ? stream_.msg : "bad deflate data"));
    }
    Step step{in - stream_.avail_in, out - stream_.avail_out, code == Z_STREAM_END, 0};
    crc_ = gzip_crc32(crc_, output.first(step.produced));
    return step;
  }

  std::uint32_t crc() const override { return crc_; }

 private:
  z_stream stream_{};
  std::uint32_t crc_ = 0;
};

/// zlib writes a header without a time and a name, so that the same bytes give the same file.
class GzipSource final : public Source {
 public:
  GzipSource(Source& plain, int level) : plain_(plain), buffer_(k_copy_buffer) {
    constexpr int k_gzip_framing = 16;
    constexpr int k_memory_level = 8;
    if (deflateInit2(&stream_, level, Z_DEFLATED, MAX_WBITS + k_gzip_framing, k_memory_level,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  ~GzipSource() override { deflateEnd(&stream_); }

  std::size_t read(std::span<std::byte> buffer) override {
    const uInt out = clamp(buffer.size());
    stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream_.avail_out = out;
    while (!finished_ && stream_.avail_out == out) {
      if (stream_.avail_in == 0 && !at_end_) refill();
      finished_ = deflate(&stream_, at_end_ ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_END;
    }
    return out - stream_.avail_out;
  }

 private:
  void refill() {
    const std::size_t count = plain_.read(buffer_);
    at_end_ = count == 0;
    stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
    stream_.avail_in = clamp(count);
  }

  Source& plain_;
  std::vector<std::byte> buffer_;
  z_stream stream_{};
  bool at_end_ = false;
  bool finished_ = false;
};

}  // namespace

std::unique_ptr<InflateEngine> make_zlib_engine() {
  return std::make_unique<ZlibEngine>();
}

std::uint32_t gzip_crc32(std::uint32_t crc, std::span<const std::byte> data) {
  return static_cast<std::uint32_t>(
      crc32_z(crc, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

std::unique_ptr<Source> gzip(Source& plain, int level) {
  return std::make_unique<GzipSource>(plain, level);
}

}  // namespace lade
