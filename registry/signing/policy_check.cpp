#include "registry/signing/policy_check.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/public_key.hpp"
#include "base/text.hpp"
#include "registry/signing/manifest_digest.hpp"
#include "registry/signing/payload.hpp"
#include "registry/signing/stored_signature.hpp"

#include <algorithm>

namespace lade::registry {

namespace {

constexpr std::size_t k_keys_cap = 4 * 1024 * 1024;

/// The bytes of each key or keyring.
std::vector<std::string> read_keys(const TrustedKeys& keys) {
  std::vector<std::string> blobs = keys.data;
  for (const std::string& path : keys.paths) blobs.push_back(read_file(path, k_keys_cap));
  return blobs;
}

/// Refuses an authentic claim that is about something else.
void check_claim(const SignedClaim& claim, const SignedIdentity& identity, const ImageScope& image,
                 std::string_view manifest) {
  if (manifest_digest(manifest, claim.manifest.algorithm()) != claim.manifest) {
    throw Refused(str("Signature for digest ", claim.manifest.text(), " does not match"));
  }
  if (!matches(identity, image.reference, claim.docker_reference)) {
    throw Refused(
        str("Signature for identity ", quoted(claim.docker_reference), " is not accepted"));
  }
}

bool contains(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

void verify_simple(const SimpleSignature& signature, const SignedBy& requirement,
                   const Keyring& keyring, const ImageScope& image, std::string_view manifest) {
  const SignedMessage message = keyring.verify(signature.message);
  if (!contains(keyring.fingerprints(), message.fingerprint) &&
      !contains(keyring.fingerprints(), message.primary_fingerprint)) {
    throw Refused(str("Signature by key ", message.fingerprint, " is not accepted"));
  }
  check_claim(parse_payload(message.content, PayloadType::simple), requirement.identity, image,
              manifest);
}

void verify_sigstore(const SigstoreSignature& signature, const SigstoreSigned& requirement,
                     const std::vector<PublicKey>& keys, const ImageScope& image,
                     std::string_view manifest) {
  const auto annotation = signature.annotations.find(std::string(k_sigstore_annotation));
  if (annotation == signature.annotations.end()) {
    throw Refused(str("missing ", k_sigstore_annotation, " annotation"));
  }
  const auto bytes = base64_decode(annotation->second);
  if (!bytes) throw Refused(str("the annotation ", k_sigstore_annotation, " is not base64"));
  const bool is_authentic = std::any_of(keys.begin(), keys.end(), [&](const PublicKey& key) {
    return key.verify(signature.payload, *bytes);
  });
  if (!is_authentic) throw Refused("cryptographic signature verification failed");
  check_claim(parse_payload(signature.payload, PayloadType::sigstore), requirement.identity, image,
              manifest);
}

/// Returns if `verify` returns for one of `signatures` that are of the kind it takes; it throws for
/// one that does not do, and returns false for one that is none of its business.
template <class Verify>
void require_one(const std::vector<std::string>& signatures, Verify&& verify) {
  std::vector<std::string> reasons;
  for (const std::string& bytes : signatures) {
    try {
      if (verify(parse_signature(bytes))) return;
    } catch (const InvalidData& error) {
      reasons.emplace_back(error.what());
    }
  }
  if (reasons.empty()) throw Refused("A signature was required, but no signature exists");
  if (reasons.size() == 1) throw Refused(reasons.front());
  throw Refused(str("None of the signatures were accepted, reasons: ", join(reasons, "; ")));
}

void require_sigstore(const SigstoreSigned& requirement, const ImageScope& image,
                      std::string_view manifest, const std::vector<std::string>& signatures) {
  std::vector<PublicKey> keys;
  for (const std::string& pem : read_keys(requirement.keys)) {
    keys.push_back(
        PublicKey::parse_pem(pem, str("public key ", keys.size() + 1, " of the policy")));
  }
  require_one(signatures, [&](const StoredSignature& signature) {
    const auto* sigstore = std::get_if<SigstoreSignature>(&signature);
    if (sigstore == nullptr || sigstore->media_type != k_sigstore_media_type) return false;
    verify_sigstore(*sigstore, requirement, keys, image, manifest);
    return true;
  });
}

bool needs_signature(const Requirement& requirement) {
  return std::holds_alternative<SignedBy>(requirement) ||
         std::holds_alternative<SigstoreSigned>(requirement);
}

}  // namespace

PolicyCheck::PolicyCheck(Policy policy, GpgProgram gpg, RequireSigned require_signed)
    : policy_(std::move(policy)), gpg_(std::move(gpg)), require_signed_(require_signed) {}

const Keyring& PolicyCheck::keyring_of(const SignedBy& requirement) const {
  auto keyrings = keyrings_.lock();
  auto& keyring = (*keyrings)[&requirement];
  if (!keyring) keyring = make_keyring(gpg_, read_keys(requirement.keys));
  return *keyring;
}

void PolicyCheck::require(const SignedBy& requirement, const ImageScope& image,
                          std::string_view manifest,
                          const std::vector<std::string>& signatures) const {
  const Keyring& keyring = keyring_of(requirement);
  require_one(signatures, [&](const StoredSignature& signature) {
    const auto* simple = std::get_if<SimpleSignature>(&signature);
    if (simple == nullptr) return false;
    verify_simple(*simple, requirement, keyring, image, manifest);
    return true;
  });
}

bool PolicyCheck::takes_any(const ImageScope& image) const {
  const Requirements& requirements = find_requirements(policy_, image);
  return require_signed_ == RequireSigned::as_policy_says &&
         std::all_of(requirements.begin(), requirements.end(), [](const Requirement& requirement) {
           return std::holds_alternative<AcceptAnything>(requirement);
         });
}

void PolicyCheck::admit(const ImageScope& image, std::string_view manifest,
                        const Signatures& fetch) const {
  const Requirements& requirements = find_requirements(policy_, image);
  // What no signature can help is said before any is fetched.
  for (const Requirement& requirement : requirements) {
    if (std::holds_alternative<Reject>(requirement)) {
      throw Refused(
          str("Source image rejected: Running image ", image.name, " is rejected by policy."));
    }
    if (const auto* unsupported = std::get_if<Unsupported>(&requirement)) {
      throw Refused(str("Source image rejected: the policy asks for ", unsupported->what,
                        ", which lade does not verify"));
    }
  }
  if (std::none_of(requirements.begin(), requirements.end(), needs_signature)) {
    if (require_signed_ == RequireSigned::as_policy_says) return;
    throw Refused(str("Source image rejected: the policy takes ", image.name,
                      " without a signature, which --require-signed forbids"));
  }
  const std::vector<std::string> signatures = fetch();
  in_context([] { return std::string("Source image rejected"); },
             [&] {
               for (const Requirement& requirement : requirements) {
                 if (const auto* signed_by = std::get_if<SignedBy>(&requirement)) {
                   require(*signed_by, image, manifest, signatures);
                 } else if (const auto* sigstore = std::get_if<SigstoreSigned>(&requirement)) {
                   require_sigstore(*sigstore, image, manifest, signatures);
                 }
               }
             });
}

}  // namespace lade::registry
