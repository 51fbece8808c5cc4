#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "registry/signing/policy.hpp"

#include <fcntl.h>

#include <array>

namespace lade::registry {

namespace {

constexpr std::size_t k_policy_cap = 1024 * 1024;

/// A reference as policy.json may write it: `busybox:latest` stands for the one at Docker Hub.
Reference read_reference(const JsonNode& node) {
  try {
    return Reference::parse(node.text());
  } catch (const UsageError& error) {
    node.fail(str("is no reference: ", error.message()));
  }
}

std::string read_remap_prefix(const JsonNode& node) {
  if (!is_remap_prefix(node.text())) {
    node.fail("is not a host with an optional port, or a namespace or repository at one");
  }
  return node.text();
}

SignedIdentity read_identity(const JsonNode& node) {
  const std::string& type = node.get("type").text();
  if (type == "exactReference") {
    node.allow_only({"type", "dockerReference"});
    const JsonNode member = node.get("dockerReference");
    Reference reference = read_reference(member);
    if (!reference.tag() && !reference.digest()) member.fail("has neither a tag nor a digest");
    return ExactReference{std::move(reference)};
  }
  if (type == "exactRepository") {
    node.allow_only({"type", "dockerRepository"});
    return ExactRepository{read_reference(node.get("dockerRepository"))};
  }
  if (type == "remapIdentity") {
    node.allow_only({"type", "prefix", "signedPrefix"});
    return RemapIdentity{.prefix = read_remap_prefix(node.get("prefix")),
                         .signed_prefix = read_remap_prefix(node.get("signedPrefix"))};
  }
  node.allow_only({"type"});
  if (type == "matchExact") return MatchExact{};
  if (type == "matchRepoDigestOrExact") return MatchRepositoryDigestOrExact{};
  if (type == "matchRepository") return MatchRepository{};
  node.fail(str("has the unknown type ", quoted(type)));
}

SignedIdentity read_signed_identity(const JsonNode& requirement) {
  if (!requirement.has("signedIdentity")) return MatchRepositoryDigestOrExact{};
  return read_identity(requirement.get("signedIdentity"));
}

std::string read_key_data(const JsonNode& node) {
  auto bytes = base64_decode(node.text());
  if (!bytes) node.fail("is not base64");
  return *std::move(bytes);
}

/// The one member that says where the keys are.
TrustedKeys read_keys(const JsonNode& node) {
  constexpr std::array<std::string_view, 4> k_members{"keyPath", "keyPaths", "keyData", "keyDatas"};
  std::string_view given;
  for (const std::string_view member : k_members) {
    if (!node.has(member)) continue;
    if (!given.empty()) node.fail(str("has both ", quoted(given), " and ", quoted(member)));
    given = member;
  }
  if (given.empty()) node.fail("has no key: it needs `keyPath`, `keyPaths` or `keyData`");
  TrustedKeys keys;
  const JsonNode member = node.get(given);
  if (given == "keyPath") keys.paths = {member.text()};
  if (given == "keyPaths") keys.paths = member.texts();
  if (given == "keyData") keys.data = {read_key_data(member)};
  if (given == "keyDatas") {
    for (const JsonNode& item : member.items()) keys.data.push_back(read_key_data(item));
  }
  if (keys.paths.empty() && keys.data.empty()) member.fail("is empty");
  for (const std::string& path : keys.paths) {
    if (path.empty()) member.fail("has an empty path");
  }
  return keys;
}

Requirement read_signed_by(const JsonNode& node) {
  node.allow_only({"type", "keyType", "keyPath", "keyPaths", "keyData", "signedIdentity"});
  SignedBy requirement{.keys = read_keys(node), .identity = read_signed_identity(node)};
  const JsonNode member = node.get("keyType");
  const std::string& type = member.text();
  if (type == "GPGKeys") return requirement;
  if (type == "signedByGPGKeys" || type == "X509Certificates" || type == "signedByX509CAs") {
    return Unsupported{str("`signedBy` with keys of the type ", quoted(type))};
  }
  member.fail(str("is the unknown type ", quoted(type)));
}

Requirement read_sigstore_signed(const JsonNode& node) {
  for (const std::string& name : node.names()) {
    if (name == "fulcio" || name == "pki" || name.starts_with("rekorPublicKey")) {
      return Unsupported{str("`sigstoreSigned` with ", quoted(name))};
    }
  }
  node.allow_only({"type", "keyPath", "keyPaths", "keyData", "keyDatas", "signedIdentity"});
  return SigstoreSigned{.keys = read_keys(node), .identity = read_signed_identity(node)};
}

Requirement read_requirement(const JsonNode& node) {
  const std::string& type = node.get("type").text();
  if (type == "signedBy") return read_signed_by(node);
  if (type == "sigstoreSigned") return read_sigstore_signed(node);
  if (type == "signedBaseLayer") return Unsupported{"`signedBaseLayer`"};
  node.allow_only({"type"});
  if (type == "insecureAcceptAnything") return AcceptAnything{};
  if (type == "reject") return Reject{};
  node.fail(str("has the unknown type ", quoted(type)));
}

Requirements read_requirements(const JsonNode& node) {
  Requirements requirements;
  for (const JsonNode& item : node.items()) requirements.push_back(read_requirement(item));
  if (requirements.empty()) node.fail("is empty: it needs at least one requirement");
  return requirements;
}

}  // namespace

Policy parse_policy(std::string_view bytes, std::string_view document) {
  const JsonValue value = parse_json(bytes, document, RepeatedMember::refused);
  const JsonNode root(value, document);
  root.allow_only({"default", "transports"});
  Policy policy{.fallback = read_requirements(root.get("default"))};
  if (!root.has("transports")) return policy;
  const JsonNode transports = root.get("transports");
  for (const std::string& transport : transports.names()) {
    const JsonNode node = transports.get(transport);
    auto& scopes = policy.transports[transport];
    for (const std::string& scope : node.names()) {
      const std::string objection = objection_to_scope(transport, scope);
      if (!objection.empty()) {
        node.fail(str("has the invalid scope ", quoted(scope), ": ", objection));
      }
      scopes.emplace(scope, read_requirements(node.get(scope)));
    }
  }
  return policy;
}

const Requirements& find_requirements(const Policy& policy, const ImageScope& image) {
  const auto transport = policy.transports.find(image.transport);
  if (transport == policy.transports.end()) return policy.fallback;
  const auto& scopes = transport->second;
  for (const std::string& scope : image.scopes) {
    if (const auto found = scopes.find(scope); found != scopes.end()) return found->second;
  }
  const auto whole = scopes.find("");
  return whole == scopes.end() ? policy.fallback : whole->second;
}

std::optional<Policy> find_policy(const PolicyFiles& files) {
  const auto read = [](const std::string& path) {
    return parse_policy(read_file(path, k_policy_cap), quoted(path));
  };
  if (files.explicit_file) return read(*files.explicit_file);
  for (const std::string& path : {files.user_file, files.system_file}) {
    if (path.empty()) continue;
    try {
      return read(path);
    } catch (const SystemError& error) {
      if (error.code() != ENOENT && error.code() != ENOTDIR) throw;
    }
  }
  return std::nullopt;
}

}  // namespace lade::registry
