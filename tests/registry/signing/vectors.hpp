// A manifest signed as cosign signs, with keys made by openssl(1).
#pragma once

#include "registry/signing/stored_signature.hpp"

#include <string>

namespace lade::registry::vectors {

inline const std::string k_manifest = R"({"schemaVersion":2})";
/// Says that the manifest is `registry.example/app`.
inline const std::string k_payload =
    R"({"critical":{"identity":{"docker-reference":"registry.example/app"},"image":{"docker-manifest-digest":"sha256:bafebd36189ad3688b7b3915ea55d461e0bfcfbdde11e54b0a123999fb6be50f"},"type":"cosign container image signature"},"optional":null})";
inline const std::string k_p256_key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEFu+b89PlBtiem0fvImO674hl7Tr5\n"
    "gDzddViWxrUh2O8QcDD/D8Aznbik9V0uLoxsL9gAFC20Zxn+VVqU0v5srA==\n"
    "-----END PUBLIC KEY-----\n";
inline const std::string k_p256_signature =
    "MEQCIDCQXwS5NARocHWLNyIw+9KGNyocpilyz4Y+2ape6nSgAiBruy9MBKGnu4zQhvfUohNUEzxfmwdQ"
    "g+Iyy1afkOtR0A==";
inline const std::string k_ed25519_key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAr7hwAQivb/mfN5tG3eNtUb+nKv3k8AD2muBz17kLQS0=\n"
    "-----END PUBLIC KEY-----\n";
inline const std::string k_ed25519_signature =
    "d/Eze0RXYaDFprO1wZACLwLF8xvF8ds7a8mOAQj25b0DzseE22OD1xe8ETeU/MnTTdzaXU/QvIuQREmP"
    "yr/rCw==";
/// Signed nothing here.
inline const std::string k_other_key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEY09F5SMD/3mLBKRSOFbOAV9+L5QbQZtm\n"
    "EQGq2R2W/tuxOxbCZYGt9Rfi9XbbDFZ7nChaWWgydk+McZTmdjNJz6co+yYGvcGF\n"
    "z+NsA1q1YmHytOQcpTUhX0EFKe3o8YVq\n"
    "-----END PUBLIC KEY-----\n";
/// A payload of the other type, signed by the P-256 key.
inline const std::string k_simple_payload =
    R"({"critical":{"identity":{"docker-reference":"registry.example/app"},"image":{"docker-manifest-digest":"sha256:bafebd36189ad3688b7b3915ea55d461e0bfcfbdde11e54b0a123999fb6be50f"},"type":"atomic container signature"},"optional":{}})";
inline const std::string k_simple_payload_signature =
    "MEUCIQDHu+JqnmY5KGQnrm0L0/jo3KMXiNfBgpDRDFeI08eUrgIgZ+8Fg25hX61s2ScNpbUvIMZNXmAA"
    "P8mferVkN20q8oU=";

/// The signature as `dir:` keeps it.
inline std::string stored(const std::string& payload, const std::string& signature) {
  return to_bytes(
      SigstoreSignature{.media_type = std::string(k_sigstore_media_type),
                        .payload = payload,
                        .annotations = {{std::string(k_sigstore_annotation), signature}}});
}

}  // namespace lade::registry::vectors
