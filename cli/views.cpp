#include "cli/views.hpp"

#include "base/template/text_form.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "cli/view_values.hpp"
#include "oci/json.hpp"

namespace lade::cli {

namespace {

using go::Embedded;
using go::Field;
using go::List;
using go::Map;
using go::OmitEmpty;
using go::Record;
using go::Value;

Value layers_data(const std::vector<Descriptor>& layers) {
  List list;
  for (const Descriptor& layer : layers) {
    list.items.push_back(
        Value::record({{{"MIMEType", "MIMEType", Value::text(layer.media_type)},
                        {"Digest", "Digest", digest_value(layer.digest)},
                        {"Size", "Size", size_value(layer.size)},
                        {"Annotations", "Annotations", text_map_or_nil(layer.annotations)}}},
                      "types.ImageInspectLayer"));
  }
  return Value::list(std::move(list), "[]types.ImageInspectLayer");
}

/// A member of the configuration's `config` that is a list of texts.
Value texts_in(const JsonNode& node, std::string_view name) {
  const auto found = node.find(name);
  return found ? Value::texts(found->texts()) : nil_texts();
}

/// A set, which JSON has as an object of empty objects.
Value set_in(const JsonNode& node, std::string_view name) {
  Map map{.is_nil = true};
  if (const auto found = node.find(name)) {
    map.is_nil = false;
    for (const std::string& key : found->names()) {
      map.items.emplace(key, Value::record({}, "struct {}"));
    }
  }
  return Value::map(std::move(map), "map[string]struct {}");
}

Value flag_in(const JsonNode& node, std::string_view name) {
  const auto found = node.find(name);
  return Value::boolean(found && found->flag());
}

Value text_in(const JsonNode& node, std::string_view name) {
  return Value::text(node.find_text(name));
}

Value time_in(const JsonNode& node, std::string_view name) {
  return time_value(node.find_text(name));
}

Value process_value(const JsonNode& node) {
  const auto labels = node.find("Labels");
  const auto text_map = labels ? std::optional(labels->text_map()) : std::nullopt;
  constexpr auto omit = OmitEmpty::yes;
  return Value::record({{{"User", "User", text_in(node, "User"), omit},
                         {"ExposedPorts", "ExposedPorts", set_in(node, "ExposedPorts"), omit},
                         {"Env", "Env", texts_in(node, "Env"), omit},
                         {"Entrypoint", "Entrypoint", texts_in(node, "Entrypoint"), omit},
                         {"Cmd", "Cmd", texts_in(node, "Cmd"), omit},
                         {"Volumes", "Volumes", set_in(node, "Volumes"), omit},
                         {"WorkingDir", "WorkingDir", text_in(node, "WorkingDir"), omit},
                         {"Labels", "Labels", text_map_or_nil(text_map), omit},
                         {"StopSignal", "StopSignal", text_in(node, "StopSignal"), omit},
                         {"ArgsEscaped", "ArgsEscaped", flag_in(node, "ArgsEscaped"), omit}}},
                       "v1.ImageConfig");
}

Value history_value(const JsonNode& root) {
  List list;
  const auto history = root.find("history");
  list.is_nil = !history.has_value();
  constexpr auto omit = OmitEmpty::yes;
  for (const JsonNode& entry : history ? history->items() : std::vector<JsonNode>()) {
    list.items.push_back(
        Value::record({{{"Created", "created", time_in(entry, "created"), omit},
                        {"CreatedBy", "created_by", text_in(entry, "created_by"), omit},
                        {"Author", "author", text_in(entry, "author"), omit},
                        {"Comment", "comment", text_in(entry, "comment"), omit},
                        {"EmptyLayer", "empty_layer", flag_in(entry, "empty_layer"), omit}}},
                      "v1.History"));
  }
  return Value::list(std::move(list), "[]v1.History");
}

Value platform_record(const JsonNode& root) {
  constexpr auto omit = OmitEmpty::yes;
  return Value::record({{{"Architecture", "architecture", text_in(root, "architecture")},
                         {"OS", "os", text_in(root, "os")},
                         {"OSVersion", "os.version", text_in(root, "os.version"), omit},
                         {"OSFeatures", "os.features", texts_in(root, "os.features"), omit},
                         {"Variant", "variant", text_in(root, "variant"), omit}}},
                       "v1.Platform");
}

Value rootfs_value(const JsonNode& root) {
  List diff_ids;
  for (const std::string& diff_id : root.get("rootfs").get("diff_ids").texts()) {
    diff_ids.items.push_back(Value::text(diff_id, "digest.Digest"));
  }
  return Value::record(
      {{{"Type", "type", Value::text("layers")},
        {"DiffIDs", "diff_ids", Value::list(std::move(diff_ids), "[]digest.Digest")}}},
      "v1.RootFS");
}

/// Bytes of the config and all layers.
std::uint64_t content_size(const Manifest& manifest) {
  std::uint64_t size = manifest.config.size;
  for (const Descriptor& layer : manifest.layers) size += layer.size;
  return size;
}

Value platform_entry(const PlatformView& view) {
  const Descriptor& descriptor = view.descriptor;
  Record record{
      {{"Platform", "Platform", Value::text(view.platform ? to_string(*view.platform) : "")},
       {"Digest", "Digest", digest_value(descriptor.digest)},
       {"MediaType", "MediaType", Value::text(descriptor.media_type)},
       {"ManifestSize", "ManifestSize", size_value(descriptor.size)}}};
  const Manifest* manifest = view.manifest ? &*view.manifest : nullptr;
  const auto add = [&](std::string_view name, Value value) {
    record.fields.push_back({name, name, std::move(value)});
  };
  add("ConfigDigest",
      manifest != nullptr ? digest_value(manifest->config.digest) : Value::nil("digest.Digest"));
  add("Size", manifest != nullptr ? size_value(content_size(*manifest)) : Value::nil("int64"));
  add("LayersData",
      layers_data(manifest != nullptr ? manifest->layers : decltype(manifest->layers)()));
  add("Annotations", text_map_or_nil(descriptor.annotations));
  return Value::record(std::move(record), "platform");
}

/// A manifest in a repository, as oras prints it.
Record named_descriptor(const std::string& repository, const Descriptor& descriptor) {
  constexpr auto omit = OmitEmpty::yes;
  return {{{"Reference", "reference", Value::text(str(repository, '@', descriptor.digest.text()))},
           {"MediaType", "mediaType", Value::text(descriptor.media_type)},
           {"Digest", "digest", digest_value(descriptor.digest)},
           {"Size", "size", size_value(descriptor.size)},
           {"ArtifactType", "artifactType", Value::text(descriptor.artifact_type), omit},
           {"Annotations", "annotations", text_map_or_nil(descriptor.annotations), omit}}};
}

}  // namespace

std::string pretty_json(const go::Value& value) {
  return go::json_text(value, {.indent = 4}) + "\n";
}

go::Value inspect_value(const InspectView& view) {
  std::vector<std::string> layers;
  for (const Descriptor& layer : view.manifest.layers) layers.push_back(layer.digest.text());
  const ProcessConfig& process = view.config.process;
  return Value::record(
      {{{"Name", "Name", Value::text(view.name), OmitEmpty::yes},
        {"Tag", "Tag", Value::text(""), OmitEmpty::yes},
        {"Digest", "Digest", digest_value(view.digest)},
        {"RepoTags", "RepoTags", texts_or_nil(view.tags)},
        {"Created", "Created", time_value(view.config.created.value_or(""))},
        {"DockerVersion", "DockerVersion", Value::text(view.config.docker_version)},
        {"Labels", "Labels", text_map_or_nil(process.labels)},
        {"Architecture", "Architecture", Value::text(view.config.platform.architecture)},
        {"Os", "Os", Value::text(view.config.platform.os)},
        {"Layers", "Layers", Value::texts(layers)},
        {"LayersData", "LayersData", layers_data(view.manifest.layers)},
        {"Env", "Env", texts_or_nil(process.env)}}},
      "inspect.Output");
}

go::Value config_value(std::string_view config_bytes) {
  const JsonValue json = parse_json(config_bytes, "image configuration");
  const JsonValue nothing{JsonValue::Object()};
  const JsonNode root(json, "image configuration");
  const Value process =
      process_value(root.find("config").value_or(JsonNode(nothing, "image configuration")));
  constexpr auto omit = OmitEmpty::yes;
  Record record{{{"Created", "created", time_in(root, "created"), omit},
                 {"Author", "author", text_in(root, "author"), omit},
                 {"Platform", "", platform_record(root), OmitEmpty::no, Embedded::yes}}};
  record.fields.push_back({"Config", "config", process, OmitEmpty::zero});
  record.fields.push_back({"RootFS", "rootfs", rootfs_value(root)});
  record.fields.push_back({"History", "history", history_value(root), omit});
  return Value::record(std::move(record), "*v1.Image");
}

go::Value platforms_value(const PlatformsView& view) {
  List list;
  for (const PlatformView& platform : view.platforms) {
    list.items.push_back(platform_entry(platform));
  }
  return Value::record({{{"Name", "Name", Value::text(view.name), OmitEmpty::yes},
                         {"Digest", "Digest", digest_value(view.top.digest)},
                         {"MediaType", "MediaType", Value::text(view.top.media_type)},
                         {"ManifestSize", "ManifestSize", size_value(view.top.size)},
                         {"Platforms", "Platforms", Value::list(std::move(list), "[]platform")}}},
                       "platforms");
}

std::string list_tags_json(const std::string& repository, const std::vector<std::string>& tags) {
  // Hundreds of thousands of tags are written without a tree of them.
  std::string out = repository.empty() ? "{\n    \"Tags\": ["
                                       : str("{\n    \"Repository\": ", go::json_string(repository),
                                             ",\n    \"Tags\": [");
  for (const std::string& tag : tags) {
    out += str(out.back() == '[' ? "" : ",", "\n        ", go::json_string(tag));
  }
  return out + (tags.empty() ? "]\n}\n" : "\n    ]\n}\n");
}

go::Value catalog_value(const std::string& registry, const std::vector<std::string>& repositories) {
  return Value::record({{{"Registry", "Registry", Value::text(registry)},
                         {"Repositories", "Repositories", Value::texts(repositories)}}},
                       "catalog");
}

go::Value referrers_value(const ReferrersView& view) {
  Record record = named_descriptor(view.repository, view.subject);
  List referrers;
  for (const Descriptor& referrer : view.referrers) {
    referrers.items.push_back(referrer_row(view.repository, referrer));
  }
  record.fields.push_back(
      {"Referrers", "referrers", Value::list(std::move(referrers), "[]referrer")});
  return Value::record(std::move(record), "referrers");
}

go::Value referrer_row(const std::string& repository, const Descriptor& referrer) {
  return Value::record(named_descriptor(repository, referrer), "referrer");
}

go::Value untrusted_signature_value(const registry::SignedClaim& claim, const std::string& key_id) {
  const auto when = claim.timestamp
                        ? format_rfc3339({.seconds = static_cast<std::int64_t>(*claim.timestamp)})
                        : std::string();
  const auto member = [](std::string_view name, Value value) {
    return Field{name, name, std::move(value)};
  };
  return Value::record({{member("UntrustedDockerManifestDigest", digest_value(claim.manifest)),
                         member("UntrustedDockerReference", Value::text(claim.docker_reference)),
                         member("UntrustedCreatorID", claim.creator ? Value::text(*claim.creator)
                                                                    : Value::nil("*string")),
                         member("UntrustedTimestamp", time_value(when)),
                         member("UntrustedShortKeyIdentifier", Value::text(key_id))}},
                       "signature");
}

go::Value rate_limit_value(const std::string& registry, const registry::RateLimit& limit) {
  const auto count = [](const auto& number) {
    return number ? size_value(static_cast<std::uint64_t>(*number)) : Value::nil("int64");
  };
  const auto window = limit.window
                          ? std::optional(static_cast<std::uint64_t>(limit.window->count()))
                          : std::nullopt;
  return Value::record(
      {{{"Registry", "Registry", Value::text(registry)},
        {"Limit", "Limit", count(limit.limit)},
        {"Remaining", "Remaining", count(limit.remaining)},
        {"Window", "Window", count(window)},
        {"Source", "Source",
         limit.source.empty() ? Value::nil("string") : Value::text(limit.source)}}},
      "ratelimit");
}

}  // namespace lade::cli
