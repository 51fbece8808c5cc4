#include "oci/new_image.hpp"

#include "oci/json_writer.hpp"

namespace lade {

namespace {

/// How Go writes a set: an object of empty objects.
void maybe_set(JsonWriter& json, std::string_view name, const std::vector<std::string>& members) {
  if (members.empty()) return;
  json.name(name).begin_object();
  for (const std::string& member : members) json.name(member).begin_object().end_object();
  json.end_object();
}

void write_process(JsonWriter& json, const ProcessConfig& process) {
  json.maybe_member("User", process.user);
  maybe_set(json, "ExposedPorts", process.exposed_ports);
  if (process.env) json.maybe_member("Env", *process.env);
  json.maybe_member("Entrypoint", process.entrypoint);
  json.maybe_member("Cmd", process.cmd);
  maybe_set(json, "Volumes", process.volumes);
  json.maybe_member("WorkingDir", process.working_dir);
  if (process.labels) json.maybe_member("Labels", *process.labels);
  json.maybe_member("StopSignal", process.stop_signal);
}

void write_history(JsonWriter& json, const std::vector<HistoryEntry>& history) {
  json.name("history").begin_array();
  for (const HistoryEntry& entry : history) {
    json.begin_object();
    write_members(json, entry);
    json.end_object();
  }
  json.end_array();
}

void write_descriptor(JsonWriter& json, const Descriptor& descriptor) {
  json.begin_object();
  json.member("mediaType", descriptor.media_type);
  json.member("digest", descriptor.digest.text());
  json.member("size", descriptor.size);
  json.end_object();
}

}  // namespace

void write_members(JsonWriter& json, const HistoryEntry& entry) {
  json.maybe_member("created", entry.created);
  json.maybe_member("created_by", entry.created_by);
  json.maybe_member("author", entry.author);
  json.maybe_member("comment", entry.comment);
  if (entry.empty_layer) json.name("empty_layer").flag(true);
}

std::string write_image_config(const ImageConfig& config) {
  JsonWriter json;
  json.begin_object();
  json.maybe_member("created", config.created.value_or(""));
  json.maybe_member("author", config.author);
  json.member("architecture", config.platform.architecture);
  json.maybe_member("variant", config.platform.variant);
  json.member("os", config.platform.os);
  json.maybe_member("os.version", config.platform.os_version);
  // Go's `omitempty` does not leave out a structure.
  json.name("config").begin_object();
  write_process(json, config.process);
  json.end_object();
  json.name("rootfs").begin_object().member("type", "layers").name("diff_ids").begin_array();
  for (const DiffId& diff_id : config.diff_ids) json.text(diff_id.digest.text());
  json.end_array().end_object();
  if (!config.history.empty()) write_history(json, config.history);
  return json.end_object().take();
}

RawManifest write_manifest(const Manifest& manifest) {
  JsonWriter json;
  json.begin_object().name("schemaVersion").number(2);
  json.member("mediaType", media_type::oci_manifest);
  json.name("config");
  write_descriptor(json, manifest.config);
  json.name("layers").begin_array();
  for (const Descriptor& layer : manifest.layers) write_descriptor(json, layer);
  json.end_array();
  if (manifest.annotations) json.maybe_member("annotations", *manifest.annotations);
  return RawManifest::make(json.end_object().take(), std::string(media_type::oci_manifest));
}

}  // namespace lade
