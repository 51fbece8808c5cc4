// The only file that knows liblzma. The .xz file format: streams one after the other, with padding.
#include "base/compress.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

#include <lzma.h>

#include <new>
#include <vector>

namespace lade {

namespace {

/// What a stream may ask for (bytes); `xz -9` asks for 65 MiB.
constexpr std::uint64_t k_memory_limit = std::uint64_t{256} << 20;

std::string_view text_of(lzma_ret result) {
  switch (result) {
    case LZMA_MEMLIMIT_ERROR:
      return "it takes too much memory";
    case LZMA_OPTIONS_ERROR:
      return "it uses a filter that is not known";
    case LZMA_FORMAT_ERROR:
      return "it is not an xz stream";
    default:
      return "its content is corrupt";
  }
}

class UnxzSource final : public Source {
 public:
  explicit UnxzSource(Source& compressed) : compressed_(compressed), buffer_(k_copy_buffer) {
    if (lzma_stream_decoder(&stream_, k_memory_limit, LZMA_CONCATENATED) != LZMA_OK) {
      throw std::bad_alloc();
    }
  }
  UnxzSource(const UnxzSource&) = delete;
  UnxzSource& operator=(const UnxzSource&) = delete;
  ~UnxzSource() override { lzma_end(&stream_); }

  std::size_t read(std::span<std::byte> buffer) override {
    stream_.next_out = reinterpret_cast<std::uint8_t*>(buffer.data());
    stream_.avail_out = buffer.size();
    while (!finished_ && stream_.avail_out == buffer.size()) {
      if (stream_.avail_in == 0 && !at_end_) refill();
      step();
    }
    return buffer.size() - stream_.avail_out;
  }

 private:
  void refill() {
    const std::size_t count = compressed_.read(buffer_);
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(buffer_.data());
    stream_.avail_in = count;
    at_end_ = count == 0;
  }

  void step() {
    const lzma_ret result = lzma_code(&stream_, at_end_ ? LZMA_FINISH : LZMA_RUN);
    if (result == LZMA_STREAM_END) {
      finished_ = true;
    } else if (result == LZMA_BUF_ERROR && at_end_) {
      throw InvalidData("xz data ends before its end");
    } else if (result == LZMA_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (result != LZMA_OK && result != LZMA_BUF_ERROR) {
      throw InvalidData(str("xz data is damaged: ", text_of(result)));
    }
  }

  Source& compressed_;
  std::vector<std::byte> buffer_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool at_end_ = false;
  bool finished_ = false;
};

}  // namespace

std::unique_ptr<Source> unxz(Source& compressed) {
  return std::make_unique<UnxzSource>(compressed);
}

}  // namespace lade
