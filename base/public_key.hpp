// Signatures by public keys, verified. With base/hash.cpp the only files that know OpenSSL.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace lade {

/// A public key that signatures over SHA-256 are verified with: ECDSA on P-256, P-384 or P-521, RSA
/// (PKCS #1 v1.5) of 2048 bits or more, or Ed25519 (which hashes by itself).
class PublicKey {
 public:
  /// Parses the first PEM block, which must be a `PUBLIC KEY` (RFC 7468, section 13). Throws
  /// InvalidData; `what` names the key in it.
  static PublicKey parse_pem(std::string_view pem, std::string_view what);

  PublicKey(PublicKey&&) noexcept;
  PublicKey& operator=(PublicKey&&) noexcept;
  ~PublicKey();

  /// Whether `signature` (for ECDSA in DER) is one of `data` by this key's owner.
  bool verify(std::string_view data, std::string_view signature) const;

 private:
  struct Key;
  explicit PublicKey(std::unique_ptr<Key> key);
  std::unique_ptr<Key> key_;
};

}  // namespace lade
