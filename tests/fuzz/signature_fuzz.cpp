#include "base/error.hpp"
#include "registry/signing/manifest_digest.hpp"
#include "registry/signing/payload.hpp"
#include "registry/signing/stored_signature.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/targets.hpp"

#include <optional>
#include <string>

namespace lade::fuzz {

namespace {

using namespace lade::registry;

std::optional<SignedClaim> read_payload(std::string_view bytes, PayloadType type) {
  try {
    return parse_payload(bytes, type);
  } catch (const InvalidData&) {
    return std::nullopt;
  }
}

void fuzz_payload(std::string_view bytes) {
  const auto simple = read_payload(bytes, PayloadType::simple);
  const auto sigstore = read_payload(bytes, PayloadType::sigstore);
  check(!simple || !sigstore, "a payload is of one type");
  if (!simple && !sigstore) return;
  const PayloadType type = simple ? PayloadType::simple : PayloadType::sigstore;
  const SignedClaim& claim = simple ? *simple : *sigstore;
  const auto again = read_payload(write_payload(claim, type), type);
  check(again.has_value(), "what is written is read");
  check(again->docker_reference == claim.docker_reference && again->manifest == claim.manifest &&
            again->creator == claim.creator && again->timestamp == claim.timestamp,
        "and means the same");
}

void fuzz_stored(std::string_view bytes) {
  try {
    const StoredSignature signature = parse_signature(bytes);
    if (const auto* sigstore = std::get_if<SigstoreSignature>(&signature)) {
      check(std::get<SigstoreSignature>(parse_signature(to_bytes(signature))) == *sigstore,
            "what is kept is the same");
      fuzz_payload(sigstore->payload);
    }
  } catch (const InvalidData&) {
  }
}

void fuzz_manifest_digest(std::string_view bytes) {
  try {
    check(manifest_digest(bytes) == Digest::of(manifest_payload(bytes)), "it is of the payload");
  } catch (const InvalidData&) {
  }
}

}  // namespace

void fuzz_signature(std::string_view input) {
  fuzz_payload(input);
  fuzz_stored(input);
  fuzz_manifest_digest(input);
}

}  // namespace lade::fuzz
