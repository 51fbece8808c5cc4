#include "registry/signing/manifest_digest.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "oci/media_type.hpp"

#include <algorithm>
#include <optional>

namespace lade::registry {

namespace {

constexpr std::string_view k_document = "signed manifest";

/// base64url without padding (RFC 7515, section 2).
std::string decode_base64url(const JsonNode& node) {
  std::string text = node.text();
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  auto bytes = base64_decode(text);
  if (!bytes) node.fail("is not base64url");
  return *std::move(bytes);
}

/// The signed bytes by one signature: its header says how many bytes of the manifest they begin
/// with, and what comes after those.
std::string payload_of(const JsonNode& signature, std::string_view manifest) {
  const std::string header = decode_base64url(signature.get("protected"));
  const JsonValue value = parse_json(header, k_document);
  const JsonNode node(value, k_document);
  const JsonNode length = node.get("formatLength");
  if (length.size() > manifest.size()) length.fail("is beyond the manifest's end");
  return std::string(manifest.substr(0, length.size())) + decode_base64url(node.get("formatTail"));
}

/// A parsed manifest of schema 1 with signatures; nothing for anything else, whatever it is.
std::optional<JsonValue> find_signed_schema1(std::string_view manifest) {
  try {
    JsonValue value = parse_json(manifest, k_document);
    const JsonNode root(value, k_document);
    if (!root.has("schemaVersion") || root.get("schemaVersion").size() != 1) return std::nullopt;
    if (!root.find("signatures")) return std::nullopt;
    const std::string type = root.find_text("mediaType");
    if (!type.empty() && manifest_kind(type) != ManifestKind::schema1) return std::nullopt;
    return value;
  } catch (const InvalidData&) {
    return std::nullopt;
  }
}

}  // namespace

std::string manifest_payload(std::string_view manifest) {
  const auto schema1 = find_signed_schema1(manifest);
  if (!schema1) return std::string(manifest);
  const JsonNode signatures = JsonNode(*schema1, k_document).get("signatures");
  std::optional<std::string> payload;
  for (const JsonNode& signature : signatures.items()) {
    std::string signed_bytes = payload_of(signature, manifest);
    if (payload && *payload != signed_bytes) signatures.fail("do not sign the same");
    payload = std::move(signed_bytes);
  }
  if (!payload) signatures.fail("is empty");
  return *std::move(payload);
}

Digest manifest_digest(std::string_view manifest, HashAlgorithm algorithm) {
  return Digest::of(manifest_payload(manifest), algorithm);
}

}  // namespace lade::registry
