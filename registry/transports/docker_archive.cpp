#include "registry/transports/docker_archive.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "registry/transports/json_extents.hpp"

#include <array>
#include <map>
#include <optional>

namespace lade::registry {

namespace {

constexpr std::string_view k_manifest = "manifest.json";

/// What the topmost legacy image has of the configuration.
constexpr std::array<std::string_view, 7> k_legacy_members{
    "architecture", "config", "container", "container_config", "created", "docker_version", "os"};

using Members = std::map<std::string, std::string, std::less<>>;  // names, and values as JSON

std::vector<std::string> find_texts(const JsonNode& node, std::string_view name) {
  const auto found = node.find(name);
  return found ? found->texts() : std::vector<std::string>();
}

/// Digests, tags and names by Docker's grammar have nothing that must be escaped.
std::string text_json(std::string_view text) {
  return str('"', text, '"');
}

std::string list_json(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted_texts;
  for (const std::string& text : texts) quoted_texts.push_back(text_json(text));
  return str('[', join(quoted_texts, ","), ']');
}

std::string object_json(const Members& members) {
  std::vector<std::string> pairs;
  for (const auto& [name, value] : members) pairs.push_back(str(text_json(name), ':', value));
  return str('{', join(pairs, ","), '}');
}

/// The members of the configuration that the topmost legacy image has; null where it lacks them.
Members legacy_members(std::string_view config) {
  Members members;
  for (const std::string_view name : k_legacy_members) members.emplace(name, "null");
  for (const auto& [name, value] : json_members(config)) {
    const auto found = members.find(name.substr(1, name.size() - 2));
    if (found != members.end()) found->second = compact_json(value);
  }
  return members;
}

std::string descriptor_json(const Descriptor& descriptor) {
  return str("{\"mediaType\":\"", descriptor.media_type, "\",\"size\":", descriptor.size,
             ",\"digest\":\"", descriptor.digest.text(), "\"}");
}

}  // namespace

std::vector<DockerArchiveItem> parse_docker_archive(std::string_view manifest_json) {
  const JsonValue document = parse_json(manifest_json, k_manifest);
  std::vector<DockerArchiveItem> items;
  for (const JsonNode& item : JsonNode(document, k_manifest).items()) {
    items.push_back({.config = item.get("Config").text(),
                     .tags = find_texts(item, "RepoTags"),
                     .layers = find_texts(item, "Layers")});
  }
  return items;
}

std::string docker_config_name(const Digest& config) {
  return str(config.hex(), ".json");
}

std::string docker_layer_name(const DiffId& layer) {
  return str(layer.digest.hex(), ".tar");
}

std::string docker_archive_text(const std::vector<DockerArchiveImage>& images) {
  std::vector<std::string> items;
  for (const DockerArchiveImage& image : images) {
    std::vector<std::string> tags;
    std::vector<std::string> layers;
    for (const Reference& tag : image.tags) tags.push_back(tag.text());
    for (const DiffId& layer : image.layers) layers.push_back(docker_layer_name(layer));
    items.push_back(str("{\"Config\":", text_json(docker_config_name(image.config)),
                        ",\"RepoTags\":", list_json(tags), ",\"Layers\":", list_json(layers), '}'));
  }
  return str('[', join(items, ","), ']');
}

std::vector<LegacyLayer> legacy_layers(const DockerArchiveImage& image) {
  std::vector<LegacyLayer> legacy;
  std::optional<ChainId> chain;
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    const bool is_top = i + 1 == image.layers.size();
    Members members = is_top ? legacy_members(image.config_bytes) : Members();
    if (!legacy.empty()) members["parent"] = text_json(legacy.back().id);
    chain = chain ? chain_id(*chain, image.layers[i]) : chain_id(image.layers[i]);
    // The id is a digest of what it describes; what it stands on is only part of what is hashed.
    Members hashed = members;
    hashed["layer_id"] = text_json(chain->digest.text());
    const std::string id = Digest::of(object_json(hashed)).hex();
    members["id"] = text_json(id);
    legacy.push_back({id, object_json(members)});
  }
  return legacy;
}

std::string repositories_text(const std::vector<DockerArchiveImage>& images) {
  std::map<std::string, Members> repositories;
  for (const DockerArchiveImage& image : images) {
    if (image.layers.empty() || image.tags.empty()) continue;
    const std::string top = legacy_layers(image).back().id;
    for (const Reference& tag : image.tags) {
      repositories[tag.repository()][tag.tag().value_or("latest")] = text_json(top);
    }
  }
  Members members;
  for (const auto& [name, tags] : repositories) members[name] = object_json(tags);
  return object_json(members);
}

RawManifest docker_archive_manifest(const Descriptor& config,
                                    const std::vector<Descriptor>& layers) {
  std::vector<std::string> described;
  for (const Descriptor& layer : layers) described.push_back(descriptor_json(layer));
  return RawManifest::make(
      str("{\"schemaVersion\":2,\"mediaType\":\"", media_type::docker_manifest,
          "\",\"config\":", descriptor_json(config), ",\"layers\":[", join(described, ","), "]}"),
      std::string(media_type::docker_manifest));
}

}  // namespace lade::registry
