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

  /// The lower-case hex of everything fed; nothing may be fed afterwards.
  std::string finish_hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace lade
