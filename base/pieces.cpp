#include "base/pieces.hpp"

namespace lade {

std::size_t read_full(Source& source, std::span<std::byte> buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const std::size_t count = source.read(buffer.subspan(filled));
    if (count == 0) break;
    filled += count;
  }
  return filled;
}

std::span<const std::byte> BufferedPieces::next() {
  return std::span(buffer_).first(read_full(source_, buffer_));
}

}  // namespace lade
