// What podman prints of images in its store.
#include "base/text.hpp"
#include "base/time.hpp"
#include "cli/view_values.hpp"
#include "cli/views.hpp"
#include "oci/json.hpp"

namespace lade::cli {

namespace {

using go::List;
using go::Map;
using go::Record;
using go::Value;

Value reference_texts(const std::vector<Reference>& references) {
  std::vector<std::string> texts;
  for (const Reference& reference : references) texts.push_back(reference.text());
  return Value::texts(texts);
}

/// JSON of any form. Numbers that lade does not read are null.
Value any_value(const JsonValue& json) {
  if (const auto* flag = std::get_if<bool>(&json.value)) return Value::boolean(*flag);
  if (const auto* number = std::get_if<std::uint64_t>(&json.value)) return size_value(*number);
  if (const auto* text = std::get_if<std::string>(&json.value)) return Value::text(*text);
  if (const auto* array = std::get_if<JsonValue::Array>(&json.value)) {
    List list;
    bool only_texts = true;
    for (const JsonValue& item : *array) {
      list.items.push_back(any_value(item));
      only_texts = only_texts && std::holds_alternative<std::string>(item.value);
    }
    return Value::list(std::move(list), only_texts ? "[]string" : "[]interface {}");
  }
  if (const auto* object = std::get_if<JsonValue::Object>(&json.value)) {
    Map map;
    for (const auto& [key, item] : *object) map.items.emplace(key, any_value(item));
    return Value::map(std::move(map), "map[string]interface {}");
  }
  return Value::nil("interface {}");
}

const JsonValue* find_member(const JsonValue& json, std::string_view name) {
  const auto* object = std::get_if<JsonValue::Object>(&json.value);
  if (object == nullptr) return nullptr;
  const auto found = object->find(name);
  return found == object->end() ? nullptr : &found->second;
}

/// The members of the configuration's `config` that are set.
Value process_value(const JsonValue& config) {
  Record record;
  const JsonValue* process = find_member(config, "config");
  for (const std::string_view name : {"User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes",
                                      "WorkingDir", "Labels", "StopSignal"}) {
    const JsonValue* member = process != nullptr ? find_member(*process, name) : nullptr;
    Value value = member != nullptr ? any_value(*member) : Value::nil("interface {}");
    record.fields.push_back({name, name, std::move(value), go::OmitEmpty::yes});
  }
  return Value::record(std::move(record), "config");
}

Value history_value(const ImageConfig& config) {
  List list;
  constexpr auto omit = go::OmitEmpty::yes;
  for (const HistoryEntry& entry : config.history) {
    list.items.push_back(
        Value::record({{{"Created", "created", time_value(entry.created), omit},
                        {"CreatedBy", "created_by", Value::text(entry.created_by), omit},
                        {"Author", "author", Value::text(entry.author), omit},
                        {"Comment", "comment", Value::text(entry.comment), omit},
                        {"EmptyLayer", "empty_layer", Value::boolean(entry.empty_layer), omit}}},
                      "history"));
  }
  return Value::list(std::move(list), "[]history");
}

/// Docker's configurations have one; of others it is the first step's, as podman has it.
std::string comment_of(const JsonValue& json, const ImageConfig& config) {
  const JsonValue* comment = find_member(json, "comment");
  const auto* text = comment != nullptr ? std::get_if<std::string>(&comment->value) : nullptr;
  if (text != nullptr && !text->empty()) return *text;
  return config.history.empty() ? "" : config.history.front().comment;
}

/// Where the layers are, with the members that podman's overlay driver has.
Value graph_driver_value(const StoredImageView& view) {
  std::map<std::string, std::string> data;
  if (!view.lower.empty()) data["LowerDir"] = join(view.lower, ":");
  if (!view.upper.empty()) data["UpperDir"] = view.upper;
  return Value::record(
      {{{"Name", "Name", Value::text("overlay")}, {"Data", "Data", Value::text_map(data)}}},
      "driver");
}

}  // namespace

go::Value collected_value(const store::Collected& collected) {
  std::vector<std::string> blobs;
  for (const Digest& blob : collected.blobs) blobs.push_back(blob.text());
  std::vector<std::string> partials;
  for (const std::string& partial : collected.partials) partials.push_back("sha256:" + partial);
  return Value::record({{{"Blobs", "Blobs", Value::texts(blobs)},
                         {"Layers", "Layers", Value::texts(collected.layers)},
                         {"Partials", "Partials", Value::texts(partials)},
                         {"Size", "Size", size_value(collected.size)}}},
                       "collected");
}

go::Value usage_value(const store::Usage& usage) {
  List images;
  for (const store::Usage::Image& image : usage.images) {
    images.items.push_back(Value::record({{{"Id", "Id", Value::text(image.id.hex())},
                                           {"SharedSize", "SharedSize", size_value(image.shared)},
                                           {"UniqueSize", "UniqueSize", size_value(image.unique)}}},
                                         "usage.Image"));
  }
  return Value::record({{{"Images", "Images", Value::list(std::move(images), "[]usage.Image")},
                         {"Blobs", "Blobs", size_value(usage.blobs)},
                         {"Layers", "Layers", size_value(usage.layers)},
                         {"Containers", "Containers", size_value(usage.containers)},
                         {"Partials", "Partials", size_value(usage.partials)},
                         {"Reclaimable", "Reclaimable", size_value(usage.reclaimable)}}},
                       "usage");
}

go::Value verify_value(const snapshot::VerifyReport& report) {
  List findings;
  for (const snapshot::Finding& finding : report.findings) {
    findings.items.push_back(
        Value::record({{{"Object", "Object", Value::text(printable(finding.object))},
                        {"Problem", "Problem", Value::text(finding.problem)}}},
                      "finding"));
  }
  std::vector<std::string> images;
  for (const store::StoredImage& image : report.damaged_images) images.push_back(image.id.hex());
  return Value::record({{{"Blobs", "Blobs", size_value(report.blobs)},
                         {"Layers", "Layers", size_value(report.layers)},
                         {"Unrecorded", "Unrecorded", size_value(report.unrecorded)},
                         {"Findings", "Findings", Value::list(std::move(findings), "[]finding")},
                         {"Strays", "Strays", Value::texts(report.strays)},
                         {"DamagedImages", "DamagedImages", Value::texts(images)}}},
                       "verify");
}

go::Value reindex_value(const store::ReindexReport& report) {
  List left_out;
  for (const store::IncompleteImage& each : report.incomplete) {
    left_out.items.push_back(Value::record({{{"Manifest", "Manifest", digest_value(each.manifest)},
                                             {"Problem", "Problem", Value::text(each.problem)}}},
                                           "incomplete"));
  }
  const char* source = report.source == store::NameSource::index     ? "index"
                       : report.source == store::NameSource::journal ? "journal"
                                                                     : "none";
  return Value::record(
      {{{"Images", "Images", size_value(report.images)},
        {"Blobs", "Blobs", size_value(report.blobs)},
        {"Layers", "Layers", size_value(report.layers)},
        {"Names", "Names", size_value(report.names)},
        {"NamesFrom", "NamesFrom", Value::text(source)},
        {"LeftOut", "LeftOut", Value::list(std::move(left_out), "[]incomplete")},
        {"LostNames", "LostNames", reference_texts(report.lost_names)},
        {"StrandedContainers", "StrandedContainers", Value::texts(report.stranded_containers)}}},
      "reindex");
}

go::Value stored_image_value(const StoredImageView& view) {
  const store::StoredImage& image = view.image;
  const ImageConfig config = parse_image_config(view.config);
  const JsonValue json = parse_json(view.config, "image configuration");
  std::vector<std::string> layers;
  for (const DiffId& diff_id : config.diff_ids) layers.push_back(diff_id.digest.text());
  const Value names = reference_texts(image.names);
  const std::string comment = comment_of(json, config);
  const auto annotations = view.manifest.annotations.value_or(std::map<std::string, std::string>());
  const Value rootfs = Value::record(
      {{{"Type", "Type", Value::text("layers")}, {"Layers", "Layers", Value::texts(layers)}}},
      "rootfs");
  return Value::record(
      {{{"Id", "Id", Value::text(image.id.hex())},
        {"Digest", "Digest", digest_value(image.manifest.digest)},
        {"RepoTags", "RepoTags", names},
        {"RepoDigests", "RepoDigests", reference_texts(image.digests)},
        {"Parent", "Parent", Value::text("")},
        {"Comment", "Comment", Value::text(comment)},
        {"Created", "Created", time_value(config.created.value_or(""))},
        {"Config", "Config", process_value(json)},
        {"Version", "Version", Value::text(config.docker_version)},
        {"Author", "Author", Value::text(config.author)},
        {"Architecture", "Architecture", Value::text(config.platform.architecture)},
        {"Os", "Os", Value::text(config.platform.os)},
        {"Size", "Size", size_value(image.size)},
        {"VirtualSize", "VirtualSize", size_value(image.size)},
        {"GraphDriver", "GraphDriver", graph_driver_value(view)},
        {"RootFS", "RootFS", rootfs},
        {"Labels", "Labels", text_map_or_nil(config.process.labels)},
        {"Annotations", "Annotations", Value::text_map(annotations)},
        {"ManifestType", "ManifestType", Value::text(image.manifest.media_type)},
        {"User", "User", Value::text(config.process.user)},
        {"History", "History", history_value(config)},
        {"NamesHistory", "NamesHistory", names}}},
      "inspect.ImageData");
}

}  // namespace lade::cli
