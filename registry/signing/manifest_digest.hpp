// The digest by which signatures and registries know a manifest.
#pragma once

#include "oci/digest.hpp"

#include <string>
#include <string_view>

namespace lade::registry {

/// The bytes that the digest of a manifest is of: all of them, but for a signed manifest of
/// Docker's schema 1 what its signatures sign, which leaves them out. Throws InvalidData for such a
/// one whose signatures are malformed or do not agree.
std::string manifest_payload(std::string_view manifest);

/// The digest of manifest_payload().
Digest manifest_digest(std::string_view manifest, HashAlgorithm algorithm = HashAlgorithm::sha256);

}  // namespace lade::registry
