// The only file that knows zstd. RFC 8878: frames one after the other, skippable ones among them.
#include "base/compress.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

#include <zstd.h>

#include <new>
#include <vector>

namespace lade {

namespace {

/// 128 MiB, the largest window that `zstd -d` takes without being told so.
constexpr int k_window_log_max = 27;

struct FreeStream {
  void operator()(ZSTD_DStream* stream) const noexcept { ZSTD_freeDStream(stream); }
};

class UnzstdSource final : public Source {
 public:
  explicit UnzstdSource(Source& compressed)
      : compressed_(compressed), stream_(ZSTD_createDStream()), buffer_(k_copy_buffer) {
    if (!stream_) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, k_window_log_max);
  }

  std::size_t read(std::span<std::byte> buffer) override {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    while (!finished_) {
      // In a frame, first without new input: there may be output that did not fit the last time.
      if (in_frame_ || input_.pos < input_.size) {
        step(out);
        if (out.pos > 0) return out.pos;
      }
      if (input_.pos == input_.size) refill();
    }
    return 0;
  }

 private:
  void step(ZSTD_outBuffer& out) {
    const std::size_t result = ZSTD_decompressStream(stream_.get(), &out, &input_);
    if (ZSTD_isError(result) != 0) {
      throw InvalidData(str("zstd data is damaged: ", ZSTD_getErrorName(result)));
    }
    in_frame_ = result != 0;
  }

  void refill() {
    input_ = {buffer_.data(), compressed_.read(buffer_), 0};
    if (input_.size > 0) {
      started_ = true;
      return;
    }
    if (in_frame_ || !started_) throw InvalidData("zstd data ends before its end");
    finished_ = true;
  }

  Source& compressed_;
  std::unique_ptr<ZSTD_DStream, FreeStream> stream_;
  std::vector<std::byte> buffer_;
  ZSTD_inBuffer input_{nullptr, 0, 0};
  bool started_ = false;
  bool in_frame_ = false;
  bool finished_ = false;
};

struct FreeCompressor {
  void operator()(ZSTD_CStream* stream) const noexcept { ZSTD_freeCStream(stream); }
};

/// One frame with a checksum, made in the calling thread: more threads would give other bytes.
class ZstdSource final : public Source {
 public:
  ZstdSource(Source& plain, int level)
      : plain_(plain), stream_(ZSTD_createCStream()), buffer_(k_copy_buffer) {
    if (!stream_) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(stream_.get(), ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(stream_.get(), ZSTD_c_checksumFlag, 1);
  }

  std::size_t read(std::span<std::byte> buffer) override {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    while (!finished_ && out.pos == 0) {
      if (input_.pos == input_.size && !at_end_) refill();
      const std::size_t left = ZSTD_compressStream2(stream_.get(), &out, &input_,
                                                    at_end_ ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(left) != 0) {
        throw Error(str("compress by zstd: ", ZSTD_getErrorName(left)));
      }
      finished_ = at_end_ && left == 0;
    }
    return out.pos;
  }

 private:
  void refill() {
    input_ = {buffer_.data(), plain_.read(buffer_), 0};
    at_end_ = input_.size == 0;
  }

  Source& plain_;
  std::unique_ptr<ZSTD_CStream, FreeCompressor> stream_;
  std::vector<std::byte> buffer_;
  ZSTD_inBuffer input_{nullptr, 0, 0};
  bool at_end_ = false;
  bool finished_ = false;
};

}  // namespace

std::unique_ptr<Source> zstd(Source& plain, int level) {
  return std::make_unique<ZstdSource>(plain, level);
}

std::unique_ptr<Source> unzstd(Source& compressed) {
  return std::make_unique<UnzstdSource>(compressed);
}

}  // namespace lade
