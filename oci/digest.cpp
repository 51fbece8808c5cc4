#include "oci/digest.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

namespace lade {

namespace {

/// Without branches: which of two kinds a digit is cannot be guessed, and listing an index parses
/// thousands of digests.
bool is_lower_hex(std::string_view text) {
  bool all = true;
  for (const char c : text) {
    const bool decimal = static_cast<unsigned char>(c - '0') < 10;
    const bool letter = static_cast<unsigned char>(c - 'a') < 6;
    all = all & (decimal | letter);
  }
  return all;
}

}  // namespace

std::optional<Digest> Digest::try_parse(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view name = text.substr(0, colon);
  const std::string_view hex = text.substr(colon + 1);
  const bool is_sha256 = name == "sha256";
  if (!is_sha256 && name != "sha512") return std::nullopt;
  if (hex.size() != (is_sha256 ? 64u : 128u)) return std::nullopt;
  if (!is_lower_hex(hex)) return std::nullopt;
  return Digest(is_sha256 ? HashAlgorithm::sha256 : HashAlgorithm::sha512, std::string(hex));
}

Digest Digest::parse(std::string_view text) {
  if (auto digest = try_parse(text)) return *std::move(digest);
  throw InvalidData(str("invalid digest ", quoted(text.substr(0, 160)),
                        ": expected sha256: and 64, or sha512: and 128, lower-case hex digits"));
}

Digest Digest::of(std::string_view bytes, HashAlgorithm algorithm) {
  Hasher hasher(algorithm);
  hasher.update(as_bytes(bytes));
  return Digest(algorithm, hasher.finish_hex());
}

std::string_view Digest::algorithm_name() const noexcept {
  return algorithm_ == HashAlgorithm::sha256 ? "sha256" : "sha512";
}

std::string Digest::text() const {
  return str(algorithm_name(), ':', hex_);
}

ChainId chain_id(const DiffId& bottom) {
  return {bottom.digest};
}

ChainId chain_id(const ChainId& parent, const DiffId& layer) {
  return {Digest::of(str(parent.digest.text(), ' ', layer.digest.text()))};
}

}  // namespace lade
