// SHA-2 over streams. The only file that knows OpenSSL's digests.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace lade {

/// The hash functions that the OCI image specification registers for digests.
enum class HashAlgorithm { sha256, sha512 };

/// One running hash.
class Hasher {
 public:
  explicit Hasher(HashAlgorithm algorithm);
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  /// Feeds `data`.
  void update(std::span<const std::byte> data);

  /// Feeds each of two hashers with bytes of its own, which takes less time than one after the
  /// other: as long as there are bytes for both, they take turns at every instruction.
  static void update_both(Hasher& a, std::span<const std::byte> a_data, Hasher& b,
                          std::span<const std::byte> b_data);

  /// The lower-case hex of everything fed; nothing may be fed afterwards.
  std::string finish_hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace lade
