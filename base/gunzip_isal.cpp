// The only file that knows ISA-L, Intel's inflate, faster than zlib's. Its library
// is loaded for the first gzip layer and need not be installed.
#include "base/error.hpp"
#include "base/gunzip.hpp"
#include "base/shared_library.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <limits>
#include <string_view>

#include <isa-l/igzip_lib.h>

namespace lade {

namespace {

std::uint32_t clamp(std::size_t size) {
  return static_cast<std::uint32_t>(
      std::min<std::size_t>(size, std::numeric_limits<std::uint32_t>::max()));
}

std::string_view reason_of(int code) {
  switch (code) {
    case ISAL_INVALID_BLOCK:
      return "invalid deflate block";
    case ISAL_INVALID_SYMBOL:
      return "invalid deflate symbol";
    case ISAL_INVALID_LOOKBACK:
      return "invalid distance";
    default:
      return "bad deflate data";
  }
}

class IsalEngine final : public InflateEngine {
 public:
  explicit IsalEngine(std::unique_ptr<SharedLibrary> library)
      : library_(std::move(library)),
        init_(library_->function<decltype(isal_inflate_init)>("isal_inflate_init")),
        reset_(library_->function<decltype(isal_inflate_reset)>("isal_inflate_reset")),
        inflate_(library_->function<decltype(isal_inflate)>("isal_inflate")),
        state_(std::make_unique<inflate_state>()) {
    init_(state_.get());
  }

  void reset() override {
    reset_(state_.get());
    state_->crc = 0;
    // No header and no trailer, but the checksum is computed on the way.
    state_->crc_flag = ISAL_GZIP_NO_HDR;
  }

  Step step(std::span<const std::byte> input, std::span<std::byte> output) override {
    inflate_state& state = *state_;
    const std::uint32_t in = clamp(input.size());
    const std::uint32_t out = clamp(output.size());
    state.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(input.data()));
    state.avail_in = in;
    state.next_out = reinterpret_cast<std::uint8_t*>(output.data());
    state.avail_out = out;
    const int code = inflate_(&state);
    if (code < 0) throw InvalidData(str("gzip data is damaged: ", reason_of(code)));
    Step step{in - state.avail_in, out - state.avail_out, state.block_state == ISAL_BLOCK_FINISH,
              0};
    // The rest of the last byte is padding; whole bytes in the bit buffer belong to what follows.
    if (step.finished) step.excess = static_cast<std::size_t>(state.read_in_length / 8);
    return step;
  }

  std::uint32_t crc() const override { return state_->crc; }

 private:
  std::unique_ptr<SharedLibrary> library_;  // first, so that it is unloaded last
  decltype(isal_inflate_init)* init_;
  decltype(isal_inflate_reset)* reset_;
  decltype(isal_inflate)* inflate_;
  std::unique_ptr<inflate_state> state_;
};

}  // namespace

std::unique_ptr<InflateEngine> make_isal_engine() {
  auto library = SharedLibrary::find("libisal.so.2");
  if (!library) return nullptr;
  return std::make_unique<IsalEngine>(std::move(library));
}

}  // namespace lade
