#include "registry/signing/payload.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "oci/json_writer.hpp"

namespace lade::registry {

namespace {

std::string_view text_of(PayloadType type) {
  return type == PayloadType::simple ? "atomic container signature"
                                     : "cosign container image signature";
}

/// `optional`: what is not known in it is nobody's business.
void read_optional(const JsonNode& root, PayloadType type, SignedClaim& claim) {
  if (!root.has("optional")) root.fail("lacks `optional`");
  const auto optional = root.find("optional");
  if (!optional) {
    // cosign writes null where there is nothing to say.
    if (type == PayloadType::sigstore) return;
    root.get("optional");
  }
  optional->names();
  if (optional->has("creator")) claim.creator = optional->get("creator").text();
  if (optional->has("timestamp")) {
    claim.timestamp = optional->get("timestamp").size();
  }
}

}  // namespace

std::string write_payload(const SignedClaim& claim, PayloadType type) {
  JsonWriter json;
  json.begin_object().name("critical").begin_object();
  json.name("identity").begin_object();
  json.member("docker-reference", claim.docker_reference).end_object();
  json.name("image").begin_object();
  json.member("docker-manifest-digest", claim.manifest.text()).end_object();
  json.member("type", text_of(type)).end_object();
  json.name("optional").begin_object();
  if (claim.creator) json.member("creator", *claim.creator);
  if (claim.timestamp) json.member("timestamp", *claim.timestamp);
  json.end_object().end_object();
  return json.take();
}

SignedClaim parse_payload(std::string_view bytes, PayloadType type) {
  constexpr std::string_view k_document = "signature payload";
  const JsonValue value = parse_json(bytes, k_document, RepeatedMember::refused);
  const JsonNode root(value, k_document);
  root.allow_only({"critical", "optional"});

  const JsonNode critical = root.get("critical");
  critical.allow_only({"type", "image", "identity"});
  const JsonNode type_member = critical.get("type");
  if (type_member.text() != text_of(type)) {
    type_member.fail(str("is ", quoted(type_member.text()), ", not ", quoted(text_of(type))));
  }
  const JsonNode image = critical.get("image");
  image.allow_only({"docker-manifest-digest"});
  const JsonNode identity = critical.get("identity");
  identity.allow_only({"docker-reference"});

  SignedClaim claim{.docker_reference = identity.get("docker-reference").text(),
                    .manifest = Digest::parse(image.get("docker-manifest-digest").text())};
  read_optional(root, type, claim);
  return claim;
}

}  // namespace lade::registry
