#include "registry/signing/stored_signature.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "oci/json_writer.hpp"

namespace lade::registry {

namespace {

constexpr std::string_view k_sigstore_format = "sigstore-json";
constexpr std::string_view k_simple_format = "simple-signing";

/// Whether an OpenPGP packet begins with this byte that a signed message may begin with: compressed
/// data (8), a one-pass signature (4) or a signature (2), in the old header format or the new.
bool begins_signed_message(unsigned char byte) {
  if ((byte & 0x80) == 0) return false;
  const unsigned tag = (byte & 0x40) != 0 ? byte & 0x3fu : (byte >> 2) & 0x0fu;
  return tag == 8 || tag == 4 || tag == 2;
}

SigstoreSignature parse_sigstore(std::string_view json) {
  constexpr std::string_view k_document = "sigstore signature";
  const JsonValue value = parse_json(json, k_document);
  const JsonNode root(value, k_document);
  SigstoreSignature signature{.media_type = root.find_text("mimeType")};
  if (const auto payload = root.find("payload")) {
    auto bytes = base64_decode(payload->text());
    if (!bytes) payload->fail("is not base64");
    signature.payload = *std::move(bytes);
  }
  if (const auto annotations = root.find("annotations")) {
    signature.annotations = annotations->text_map();
  }
  return signature;
}

std::string write_sigstore(const SigstoreSignature& signature) {
  JsonWriter json;
  json.begin_object();
  json.member("mimeType", signature.media_type);
  json.member("payload", base64_encode(signature.payload));
  json.name("annotations").text_map(signature.annotations);
  return json.end_object().take();
}

}  // namespace

StoredSignature parse_signature(std::string_view bytes) {
  if (bytes.empty()) throw InvalidData("invalid signature: it is empty");
  if (begins_signed_message(static_cast<unsigned char>(bytes.front()))) {
    return SimpleSignature{std::string(bytes)};
  }
  if (bytes.front() != '\0') throw InvalidData("invalid signature: it is of no known format");
  const std::size_t end = bytes.find('\n');
  if (end == std::string_view::npos) throw InvalidData("invalid signature: its format has no end");
  const std::string_view format = bytes.substr(1, end - 1);
  const std::string_view content = bytes.substr(end + 1);
  if (format == k_sigstore_format) return parse_sigstore(content);
  if (format == k_simple_format) return SimpleSignature{std::string(content)};
  throw InvalidData(str("invalid signature: it is of the unknown format ", quoted(format)));
}

std::string to_bytes(const StoredSignature& signature) {
  if (const auto* simple = std::get_if<SimpleSignature>(&signature)) return simple->message;
  const auto& sigstore = std::get<SigstoreSignature>(signature);
  std::string bytes(1, '\0');
  return bytes.append(k_sigstore_format).append("\n").append(write_sigstore(sigstore));
}

}  // namespace lade::registry
