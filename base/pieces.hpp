// Streams that lend their bytes where they are, so that nobody copies them.
#pragma once

#include "base/stream.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace lade {

/// How much is lent at a time. Large, so that what is done once a piece costs nothing; small
/// enough to stay in a processor's own cache until it was hashed and written.
inline constexpr std::size_t k_piece = 256 * 1024;

/// Where pieces come from.
class PieceSource {
 public:
  virtual ~PieceSource() = default;
  /// The next piece, valid until the next call. Empty at the end, and only there. Throws on
  /// failure.
  virtual std::span<const std::byte> next() = 0;
};

/// Reads a Source into a buffer of its own. Pieces are full but for the last one.
class BufferedPieces final : public PieceSource {
 public:
  /// `source` must outlive it.
  explicit BufferedPieces(Source& source) : source_(source), buffer_(k_piece) {}
  std::span<const std::byte> next() override;

 private:
  Source& source_;
  std::vector<std::byte> buffer_;
};

/// Reads until `buffer` is full or the source at its end; the bytes read.
std::size_t read_full(Source& source, std::span<std::byte> buffer);

}  // namespace lade
