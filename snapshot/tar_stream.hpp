// A layer's tar on its way to what reads it: measured, and hashed. Inside snapshot/.
#pragma once

#include "base/hash.hpp"
#include "base/patient_hasher.hpp"
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
  /// More than `limit` bytes are refused. `blob_hasher`, of the bytes that the tar is inflated from
  /// in this thread, is hashed beside it; may be null. Both must outlive it.
  TarStream(PieceSource& pieces, std::uint64_t limit, PatientHasher* blob_hasher = nullptr)
      : pieces_(pieces), limit_(limit), blob_hasher_(blob_hasher) {
    if (blob_hasher != nullptr) blob_hasher->be_patient();
  }

  /// Throws InvalidData beyond the limit.
  std::span<const std::byte> next() override;
  /// Feeds `content` to `hasher`, which of the piece that was lent last is mostly a part.
  void hash_content(std::span<const std::byte> content, Hasher& hasher);

  std::uint64_t size() const noexcept { return size_; }  ///< bytes that were lent
  /// Of all of them. Nothing may be asked for afterwards.
  DiffId diff_id();

 private:
  void hash_rest();

  PieceSource& pieces_;
  std::uint64_t limit_;
  PatientHasher* blob_hasher_;
  std::uint64_t size_ = 0;
  Hasher hasher_{HashAlgorithm::sha256};
  std::span<const std::byte> unhashed_;  // the rest of the piece that was lent last
};

}  // namespace lade::snapshot
