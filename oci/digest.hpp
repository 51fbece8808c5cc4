// Content digests: `sha256:` and 64 hex digits. A Digest exists only if it is well formed, so that
// its text may become a file name. OCI image-spec, descriptor.md, "Digests".
#pragma once

#include "base/hash.hpp"

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace lade {

/// A digest of a registered algorithm (sha256, sha512) with lower-case hex of the right length.
class Digest {
 public:
  /// Parses `sha256:HEX`. Throws InvalidData naming the text.
  static Digest parse(std::string_view text);
  /// parse(), or nothing.
  static std::optional<Digest> try_parse(std::string_view text);
  /// The digest of some bytes.
  static Digest of(std::string_view bytes, HashAlgorithm algorithm = HashAlgorithm::sha256);

  HashAlgorithm algorithm() const noexcept { return algorithm_; }
  /// `sha256` or `sha512`.
  std::string_view algorithm_name() const noexcept;
  /// The hex digits alone.
  const std::string& hex() const noexcept { return hex_; }
  /// `sha256:HEX`.
  std::string text() const;
  /// The first 12 hex digits, for people.
  std::string short_hex() const { return hex_.substr(0, 12); }

  auto operator<=>(const Digest&) const = default;

 private:
  Digest(HashAlgorithm algorithm, std::string hex) : algorithm_(algorithm), hex_(std::move(hex)) {}

  HashAlgorithm algorithm_;
  std::string hex_;
};

/// The digest of a layer's uncompressed tar; never to be confused with the digest of its blob.
struct DiffId {
  Digest digest;
  auto operator<=>(const DiffId&) const = default;
};

/// Names a stack of layers. image-spec, config.md, "Layer ChainID".
struct ChainId {
  Digest digest;
  auto operator<=>(const ChainId&) const = default;
};

/// The chain that has only this layer.
ChainId chain_id(const DiffId& bottom);
/// The chain `parent` with `layer` on top.
ChainId chain_id(const ChainId& parent, const DiffId& layer);

}  // namespace lade
