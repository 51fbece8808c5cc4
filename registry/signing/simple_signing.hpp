// Simple signatures of manifests, made and verified without a policy.
#pragma once

#include "registry/signing/gpg.hpp"
#include "registry/signing/payload.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// Signs a manifest as `docker_reference`, which is taken as it is. The signature's bytes.
std::string sign_manifest(const GpgProgram& gpg, const SigningKey& key, std::string_view manifest,
                          std::string_view docker_reference);

/// What was verified.
struct VerifiedManifest {
  std::string fingerprint;  ///< of the key that signed
  Digest digest;            ///< as it was signed
};

/// Verifies that `signature` is one by one of the keys, with these fingerprints (their own, or of
/// the primary key above them), of this manifest under this reference. Throws Refused, InvalidData.
VerifiedManifest verify_manifest(const Keyring& keyring,
                                 const std::vector<std::string>& fingerprints,
                                 std::string_view manifest, std::string_view docker_reference,
                                 std::string_view signature);

}  // namespace lade::registry
