#include "registry/schema1.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "oci/json_writer.hpp"
#include "oci/media_type.hpp"
#include "registry/config_conversion.hpp"
#include "registry/transports/json_extents.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace lade::registry {

namespace {

/// Members of a step's JSON that a configuration has not got.
constexpr std::array<std::string_view, 6> k_dropped{"id",       "parent",    "parent_id",
                                                    "layer_id", "throwaway", "Size"};
/// How Go writes a time that is not known.
constexpr std::string_view k_no_time = "0001-01-01T00:00:00Z";

struct ParsedStep {
  Schema1Image::Step step;
  std::string id;
  std::string parent;
};

Digest read_digest(const JsonNode& node) {
  auto digest = Digest::try_parse(node.text());
  if (!digest) node.fail(str("is not a digest: ", quoted(node.text().substr(0, 160))));
  return *std::move(digest);
}

std::string history_entry(const JsonNode& root, bool throwaway) {
  std::string command;
  if (const auto config = root.find("container_config")) {
    if (const auto words = config->find("Cmd")) command = join(words->texts(), " ");
  }
  const std::string created = go_time(root.find_text("created"));
  JsonWriter json;
  json.begin_object().member("created", created.empty() ? k_no_time : created);
  json.maybe_member("author", root.find_text("author"));
  json.maybe_member("created_by", command);
  json.maybe_member("comment", root.find_text("comment"));
  if (throwaway) json.name("empty_layer").flag(true);
  return json.end_object().take();
}

ParsedStep parse_step(const std::string& text, Digest blob) {
  const JsonValue document = parse_json(text, "v1Compatibility");
  const JsonNode root(document, "v1Compatibility");
  const auto throwaway = root.find("throwaway");
  const bool is_thrown_away = throwaway && throwaway->flag();
  return {.step = {std::move(blob), is_thrown_away, history_entry(root, is_thrown_away)},
          .id = root.find_text("id"),
          .parent = root.find_text("parent")};
}

/// Leaves out steps that are said twice, and checks that each stands on the one before it.
std::vector<Schema1Image::Step> chained(std::vector<ParsedStep> parsed) {
  std::vector<Schema1Image::Step> steps;
  std::string below;
  for (std::size_t i = 0; i < parsed.size(); ++i) {
    ParsedStep& step = parsed[i];
    if (i > 0 && step.id == below) continue;
    if (step.parent != below) {
      throw InvalidData(str("invalid manifest: step ", quoted(step.id), " stands on ",
                            quoted(step.parent), ", not on ", quoted(below)));
    }
    below = step.id;
    steps.push_back(std::move(step.step));
  }
  return steps;
}

void write_layer(JsonWriter& json, std::string_view type, const Descriptor& descriptor) {
  json.begin_object();
  json.member("mediaType", type).member("size", descriptor.size);
  json.member("digest", descriptor.digest.text()).end_object();
}

std::string config_text(const Schema1Image& image, std::span<const KnownLayer> layers) {
  std::map<std::string, std::string> members;
  for (const auto& [quoted_name, value] : json_members(image.newest)) {
    const JsonValue name = parse_json(quoted_name, "v1Compatibility");
    const std::string& text = std::get<std::string>(name.value);
    if (std::find(k_dropped.begin(), k_dropped.end(), text) != k_dropped.end()) continue;
    members.insert_or_assign(text, compact_json(value));
  }
  JsonWriter rootfs;
  rootfs.begin_object().member("type", "layers");
  if (!layers.empty()) {
    rootfs.name("diff_ids").begin_array();
    for (const KnownLayer& layer : layers) rootfs.text(layer.diff_id.digest.text());
    rootfs.end_array();
  }
  members.insert_or_assign("rootfs", rootfs.end_object().take());
  JsonWriter history;
  history.begin_array();
  for (const Schema1Image::Step& step : image.steps) history.raw(step.history);
  members.insert_or_assign("history", history.end_array().take());

  JsonWriter json;
  json.begin_object();
  for (const auto& [name, value] : members) json.name(name).raw(value);
  return json.end_object().take();
}

}  // namespace

Schema1Image parse_schema1(std::string_view bytes) {
  const JsonValue document = parse_json(bytes, "manifest");
  const JsonNode root(document, "manifest");
  const auto blobs = root.get("fsLayers").items();
  const auto history = root.get("history").items();
  if (blobs.empty()) root.fail("has no layers");
  if (blobs.size() != history.size()) {
    root.fail(str("has ", blobs.size(), " layers but a history of ", history.size()));
  }
  std::vector<ParsedStep> parsed;
  for (std::size_t i = blobs.size(); i-- > 0;) {
    parsed.push_back(
        parse_step(history[i].get("v1Compatibility").text(), read_digest(blobs[i].get("blobSum"))));
  }
  return {chained(std::move(parsed)), history.front().get("v1Compatibility").text()};
}

Schema2Image to_schema2(const Schema1Image& image, std::span<const KnownLayer> layers) {
  std::string config = config_text(image, layers);
  JsonWriter json;
  const std::string type(media_type::docker_manifest);
  json.begin_object().member("schemaVersion", 2).member("mediaType", type);
  json.name("config");
  write_layer(json, media_type::docker_config,
              {.digest = Digest::of(config), .size = config.size()});
  json.name("layers").begin_array();
  for (const KnownLayer& layer : layers) {
    write_layer(json, media_type::docker_layer_gzip, layer.descriptor);
  }
  return {RawManifest::make(json.end_array().end_object().take(), type), std::move(config)};
}

}  // namespace lade::registry
