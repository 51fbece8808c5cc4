// A layer's tar on its way to what reads it: measured, and hashed. Inside snapshot/.
#pragma once

#include "base/hash.hpp"
#include "base/pieces.hpp"
#include "oci/digest.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace lade::snapshot {

/// Passes the pieces of a tar through. Each is hashed before the next one is asked for, not at
/// once: what its reader finds in it to be a file's content can be hashed for both at the same
/// time.
class TarStream final : public PieceSource {
 public:
  /// More than `limit` bytes are refused. `pieces` must outlive it.
  TarStream(PieceSource& pieces, std::uint64_t limit) : pieces_(pieces), limit_(limit) {}

  /// Throws InvalidData beyond the limit.
  std::span<const std::byte> next() override;
  /// Feeds `content` to `hasher`, which of the piece that was lent last is mostly a part.
  void hash_content(std::span<const std::byte> content, Hasher& hasher);

  std::uint64_t size() const noexcept { return size_; }  ///< bytes that were lent
  /// Of all of them. Nothing may be asked for afterwards.
  DiffId diff_id();

 private:
  PieceSource& pieces_;
  std::uint64_t limit_;
  std::uint64_t size_ = 0;
  Hasher hasher_{HashAlgorithm::sha256};
  std::span<const std::byte> unhashed_;  // the rest of the piece that was lent last
};

}  // namespace lade::snapshot
