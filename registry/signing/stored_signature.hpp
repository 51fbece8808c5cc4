// A signature as it is kept beside an image, in a `dir:` or at a lookaside: the bytes of a file
// `signature-N`. ImageSource::signatures() gives them so.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>

namespace lade::registry {

/// OpenPGP's: a signed message that contains the payload.
struct SimpleSignature {
  std::string message;
};

/// cosign's: a payload and, among its annotations, what signs it.
struct SigstoreSignature {
  std::string media_type;
  std::string payload;
  std::map<std::string, std::string> annotations;
  bool operator==(const SigstoreSignature&) const = default;
};

using StoredSignature = std::variant<SimpleSignature, SigstoreSignature>;

/// The annotation of a sigstore signature's layer that holds the signature, in base64.
inline constexpr std::string_view k_sigstore_annotation = "dev.cosignproject.cosign/signature";
/// The media type of a sigstore signature's layer.
inline constexpr std::string_view k_sigstore_media_type =
    "application/vnd.dev.cosign.simplesigning.v1+json";
/// Larger signatures are not read (bytes).
inline constexpr std::size_t k_signature_cap = 4 * 1024 * 1024;

/// Tells by their first bytes what they are. Nothing about them is trusted or verified. Throws
/// InvalidData.
StoredSignature parse_signature(std::string_view bytes);

/// The bytes to keep.
std::string to_bytes(const StoredSignature& signature);

}  // namespace lade::registry
