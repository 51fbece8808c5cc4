#include "registry/config_conversion.hpp"

#include "base/text.hpp"
#include "oci/image_config.hpp"
#include "oci/json.hpp"
#include "oci/json_writer.hpp"

#include <array>

namespace lade::registry {

namespace {

std::vector<std::string> find_texts(const JsonNode& node, std::string_view name) {
  const auto found = node.find(name);
  return found ? found->texts() : std::vector<std::string>();
}

/// How Go writes a set: an object of empty objects.
void write_set(JsonWriter& json, std::string_view name, const JsonNode& node) {
  const auto found = node.find(name);
  if (!found) return;
  const std::vector<std::string> names = found->names();
  if (names.empty()) return;
  json.name(name).begin_object();
  for (const std::string& member : names) json.name(member).begin_object().end_object();
  json.end_object();
}

void write_process(JsonWriter& json, const JsonNode& process) {
  json.maybe_member("User", process.find_text("User"));
  write_set(json, "ExposedPorts", process);
  for (const char* name : {"Env", "Entrypoint", "Cmd"}) {
    json.maybe_member(name, find_texts(process, name));
  }
  write_set(json, "Volumes", process);
  json.maybe_member("WorkingDir", process.find_text("WorkingDir"));
  if (const auto labels = process.find("Labels")) {
    json.maybe_member("Labels", labels->text_map());
  }
  json.maybe_member("StopSignal", process.find_text("StopSignal"));
  if (const auto escaped = process.find("ArgsEscaped"); escaped && escaped->flag()) {
    json.name("ArgsEscaped").flag(true);
  }
}

void write_history(JsonWriter& json, const JsonNode& history) {
  const std::vector<JsonNode> items = history.items();
  if (items.empty()) return;
  json.name("history").begin_array();
  for (const JsonNode& item : items) {
    json.begin_object();
    json.maybe_member("created", go_time(item.find_text("created")));
    for (const char* name : {"created_by", "author", "comment"}) {
      json.maybe_member(name, item.find_text(name));
    }
    if (const auto empty = item.find("empty_layer"); empty && empty->flag()) {
      json.name("empty_layer").flag(true);
    }
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string go_time(std::string_view text) {
  std::string time(text);
  const std::size_t dot = time.find('.');
  if (dot != std::string::npos) {
    std::size_t end = time.find_first_not_of("0123456789", dot + 1);
    if (end == std::string::npos) end = time.size();
    std::size_t keep = end;
    while (keep > dot + 1 && time[keep - 1] == '0') --keep;
    if (keep == dot + 1) keep = dot;
    time.erase(keep, end - keep);
  }
  for (const std::string_view nothing : {"+00:00", "-00:00"}) {
    if (time.ends_with(nothing)) time.replace(time.size() - nothing.size(), nothing.size(), "Z");
  }
  return time;
}

std::string oci_config(std::string_view docker) {
  parse_image_config(docker);  // checks it
  const JsonValue document = parse_json(docker, "image config");
  const JsonNode root(document, "image config");
  JsonWriter json;
  json.begin_object();
  json.maybe_member("created", go_time(root.find_text("created")));
  json.maybe_member("author", root.find_text("author"));
  json.member("architecture", root.find_text("architecture"));
  json.maybe_member("variant", root.find_text("variant"));
  json.member("os", root.find_text("os"));
  json.maybe_member("os.version", root.find_text("os.version"));
  json.maybe_member("os.features", find_texts(root, "os.features"));
  // Go's `omitempty` does not leave out a structure.
  json.name("config").begin_object();
  if (const auto process = root.find("config")) write_process(json, *process);
  json.end_object();
  const JsonNode rootfs = root.get("rootfs");
  json.name("rootfs").begin_object().member("type", rootfs.find_text("type"));
  json.name("diff_ids");
  if (const auto diff_ids = rootfs.find("diff_ids")) {
    json.texts(diff_ids->texts());
  } else {
    json.raw("null");
  }
  json.end_object();
  if (const auto history = root.find("history")) write_history(json, *history);
  return json.end_object().take();
}

}  // namespace lade::registry
