#include "base/compress.hpp"
#include "base/error.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/targets.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace lade::fuzz {

namespace {

/// More than this is not inflated: bombs are not what the fuzzer looks for.
constexpr std::size_t k_enough = 1 << 20;

class PieceSource final : public Source {
 public:
  PieceSource(std::string_view text, std::size_t piece) : rest_(as_bytes(text)), piece_(piece) {}
  std::size_t read(std::span<std::byte> buffer) override {
    const std::size_t count = std::min({rest_.size(), buffer.size(), piece_});
    std::copy_n(rest_.begin(), count, buffer.begin());
    rest_ = rest_.subspan(count);
    ended_ = ended_ || count == 0;
    return count;
  }
  bool ended() const { return ended_; }

 private:
  std::span<const std::byte> rest_;
  std::size_t piece_;
  bool ended_ = false;
};

/// What a decoder makes of the input; nothing if it refuses.
template <class Open>
std::optional<std::string> inflate(std::string_view input, std::size_t piece, Open&& open) {
  PieceSource source(input, piece);
  const auto decoder = open(source);
  if (!decoder) return std::nullopt;
  std::vector<std::byte> buffer(std::max<std::size_t>(piece, 100));
  std::string plain;
  try {
    while (const std::size_t count = decoder->read(buffer)) {
      check(count <= buffer.size(), "a read stays within its buffer");
      plain += as_text(std::span(buffer).first(count));
      if (plain.size() > k_enough) return plain;
    }
  } catch (const InvalidData&) {
    return std::nullopt;
  }
  check(source.ended(), "the source is read to its end");
  return plain;
}

bool is_isal_installed() {
  StringSource empty("");
  return gunzip(empty, GzipDecoder::isal) != nullptr;
}

}  // namespace

void fuzz_decompress(std::string_view input) {
  if (input.empty()) return;
  const auto piece = std::max<std::size_t>(static_cast<unsigned char>(input[0]), 1);
  input.remove_prefix(1);

  const auto by_zlib =
      inflate(input, piece, [](Source& source) { return gunzip(source, GzipDecoder::zlib); });
  if (is_isal_installed()) {
    const auto by_isal =
        inflate(input, piece, [](Source& source) { return gunzip(source, GzipDecoder::isal); });
    // Each stops at its own place in something large.
    const bool large = by_zlib && by_zlib->size() > k_enough;
    check(large || by_zlib == by_isal, "both gzip decoders agree");
  }
  inflate(input, piece, [](Source& source) { return unzstd(source); });
  inflate(input, piece, [](Source& source) { return decompress(source); });
}

}  // namespace lade::fuzz
