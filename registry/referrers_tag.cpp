#include "registry/referrers_tag.hpp"

#include "base/text.hpp"
#include "oci/media_type.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace lade::registry {

namespace {

using Json = nlohmann::ordered_json;

/// An index as it is, which parse_index() has found to be one, within bounds.
Json parse_checked(std::string_view index) {
  parse_index(index);
  return Json::parse(index);
}

bool lists(std::string_view index, const Digest& digest) {
  const Index parsed = parse_index(index);
  return std::any_of(parsed.manifests.begin(), parsed.manifests.end(),
                     [&](const Descriptor& entry) { return entry.digest == digest; });
}

Json to_json(const Descriptor& descriptor) {
  Json json{{"mediaType", descriptor.media_type},
            {"digest", descriptor.digest.text()},
            {"size", descriptor.size}};
  if (descriptor.annotations && !descriptor.annotations->empty()) {
    json["annotations"] = *descriptor.annotations;
  }
  if (!descriptor.artifact_type.empty()) json["artifactType"] = descriptor.artifact_type;
  return json;
}

}  // namespace

std::optional<Descriptor> find_subject(const RawManifest& manifest) {
  switch (manifest.kind()) {
    case ManifestKind::image:
      return parse_manifest(manifest.bytes).subject;
    case ManifestKind::index:
      return parse_index(manifest.bytes).subject;
    default:
      return std::nullopt;
  }
}

std::string referrers_tag(const Digest& subject) {
  return str(subject.algorithm_name(), '-', subject.hex().substr(0, 64));
}

Descriptor referrer_descriptor(const RawManifest& manifest) {
  Descriptor descriptor = manifest.descriptor();
  if (manifest.kind() == ManifestKind::index) {
    Index index = parse_index(manifest.bytes);
    descriptor.artifact_type = std::move(index.artifact_type);
    descriptor.annotations = std::move(index.annotations);
    return descriptor;
  }
  Manifest parsed = parse_manifest(manifest.bytes);
  descriptor.artifact_type = parsed.artifact_type.empty() ? std::move(parsed.config.media_type)
                                                          : std::move(parsed.artifact_type);
  descriptor.annotations = std::move(parsed.annotations);
  return descriptor;
}

std::optional<std::string> with_referrer(std::string_view index, const Descriptor& referrer) {
  Json json;
  if (index.empty()) {
    json = {{"schemaVersion", 2},
            {"mediaType", std::string(media_type::oci_index)},
            {"manifests", Json::array()}};
  } else {
    if (lists(index, referrer.digest)) return std::nullopt;
    json = parse_checked(index);
  }
  json["manifests"].push_back(to_json(referrer));
  return json.dump();
}

std::optional<std::string> without_referrer(std::string_view index, const Digest& referrer) {
  if (!lists(index, referrer)) return std::nullopt;
  Json json = parse_checked(index);
  Json kept = Json::array();
  for (Json& entry : json["manifests"]) {
    if (Digest::parse(entry.at("digest").get<std::string>()) != referrer) {
      kept.push_back(std::move(entry));
    }
  }
  json["manifests"] = std::move(kept);
  return json.dump();
}

}  // namespace lade::registry
