#include "registry/signing/simple_signing.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "oci/reference.hpp"
#include "registry/signing/manifest_digest.hpp"
#include "registry/signing/stored_signature.hpp"

#include <algorithm>

namespace lade::registry {

namespace {

/// Whether two names are the same once both are written out in full.
bool are_same_reference(std::string_view signed_name, const Reference& expected) {
  try {
    return Reference::parse(signed_name) == expected;
  } catch (const UsageError&) {
    return false;
  }
}

}  // namespace

std::string sign_manifest(const GpgProgram& gpg, const SigningKey& key, std::string_view manifest,
                          std::string_view docker_reference) {
  if (docker_reference.empty()) throw UsageError("sign a manifest: the reference is empty");
  const SignedClaim claim{.docker_reference = std::string(docker_reference),
                          .manifest = manifest_digest(manifest),
                          .creator = "lade",
                          .timestamp = static_cast<std::uint64_t>(now().seconds)};
  return sign_message(gpg, key, write_payload(claim, PayloadType::simple));
}

VerifiedManifest verify_manifest(const Keyring& keyring,
                                 const std::vector<std::string>& fingerprints,
                                 std::string_view manifest, std::string_view docker_reference,
                                 std::string_view signature) {
  const Reference expected = Reference::parse(docker_reference);
  const StoredSignature stored = parse_signature(signature);
  const auto* simple = std::get_if<SimpleSignature>(&stored);
  if (simple == nullptr) throw InvalidData("invalid signature: it is not an OpenPGP message");
  const SignedMessage message = keyring.verify(simple->message);
  const bool is_expected =
      std::any_of(fingerprints.begin(), fingerprints.end(), [&](const std::string& wanted) {
        return ascii_iequals(wanted, message.fingerprint) ||
               ascii_iequals(wanted, message.primary_fingerprint);
      });
  if (!is_expected) {
    throw Refused(str("Signature by ", message.fingerprint,
                      " does not match expected fingerprints [", printable(join(fingerprints, " ")),
                      "]"));
  }
  SignedClaim claim = parse_payload(message.content, PayloadType::simple);
  if (manifest_digest(manifest, claim.manifest.algorithm()) != claim.manifest) {
    throw Refused(
        str("Signature for docker digest ", quoted(claim.manifest.text()), " does not match"));
  }
  if (!are_same_reference(claim.docker_reference, expected)) {
    throw Refused(str("Docker reference ", quoted(claim.docker_reference), " does not match ",
                      quoted(docker_reference)));
  }
  return {.fingerprint = message.fingerprint, .digest = std::move(claim.manifest)};
}

}  // namespace lade::registry
