// Reads a plain tar. The only header that stands for libarchive, of which nothing but
// the tar parser is used.
#pragma once

#include "base/pieces.hpp"
#include "snapshot/entry.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace lade::snapshot {

/// A piece of a file's data: what lies between pieces is a hole.
struct DataBlock {
  std::span<const std::byte>
      bytes;  ///< valid until the next call; mostly a part of the tar's piece
  std::uint64_t offset = 0;
};

/// Iterates over the members of a tar: ustar, GNU and pax.
class TarReader {
 public:
  /// `tar` must outlive the reader.
  explicit TarReader(PieceSource& tar);
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;
  ~TarReader();

  /// The next member; nothing at the end, when `tar` was read to its very end, padding and all.
  /// Throws InvalidData on what is not a tar; what `tar` throws comes through unchanged. No bytes
  /// at all are an empty tar.
  std::optional<Entry> next();
  /// The next piece of the current member's data; nothing at its end.
  std::optional<DataBlock> next_block();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lade::snapshot
