// What a signature says: which manifest goes by which name. containers-signature(5); cosign's
// signatures say the same in the same form, under another type.
#pragma once

#include "oci/digest.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lade::registry {

/// The two types of payload: of a simple signature (OpenPGP) and of a sigstore signature (cosign).
enum class PayloadType { simple, sigstore };

/// A payload's content. Of `critical`, everything; the rest is for people.
struct SignedClaim {
  std::string docker_reference;  ///< as it is written there, in whatever form
  Digest manifest;
  std::optional<std::string> creator;
  std::optional<std::uint64_t> timestamp;  ///< seconds since the epoch
};

/// The JSON of a payload, byte for byte as skopeo writes it.
std::string write_payload(const SignedClaim& claim, PayloadType type);

/// Parses a payload, which must be authentic already: strictly, so that it cannot mean different
/// things to different readers. Throws InvalidData for members of `critical` that are missing,
/// unknown or of the wrong type, members that come twice, and another type.
SignedClaim parse_payload(std::string_view bytes, PayloadType type);

}  // namespace lade::registry
