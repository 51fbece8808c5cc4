#include "registry/image_edit.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "oci/json_writer.hpp"
#include "oci/media_type.hpp"
#include "oci/new_image.hpp"

namespace lade::registry {

namespace {

std::string json_text(std::string_view value) {
  return JsonWriter().text(value).take();
}

/// The object that a valid document is; each name comes once, so that nobody reads another one.
JsonObject parse_object(std::string_view text, std::string_view what) {
  parse_json(text, what, RepeatedMember::refused);
  return JsonObject(text);
}

std::string descriptor_text(const Descriptor& descriptor) {
  JsonWriter json;
  json.begin_object();
  json.member("mediaType", descriptor.media_type);
  json.member("digest", descriptor.digest.text());
  json.member("size", descriptor.size);
  if (descriptor.annotations) json.maybe_member("annotations", *descriptor.annotations);
  json.end_object();
  return json.take();
}

std::string history_text(const HistoryEntry& entry) {
  JsonWriter json;
  json.begin_object();
  write_members(json, entry);
  json.end_object();
  return json.take();
}

}  // namespace

ImageEdit ImageEdit::blank(const Platform& platform, const std::string& created) {
  ImageEdit edit;
  edit.config_.set("created", json_text(created));
  edit.config_.set("architecture", json_text(platform.architecture));
  if (!platform.variant.empty()) edit.config_.set("variant", json_text(platform.variant));
  edit.config_.set("os", json_text(platform.os));
  edit.config_.set("config", "{}");
  edit.config_.set("rootfs", R"({"type":"layers","diff_ids":[]})");
  edit.manifest_.set("schemaVersion", "2");
  edit.manifest_.set("mediaType", json_text(media_type::oci_manifest));
  edit.manifest_.set(
      "config",
      JsonWriter().begin_object().member("mediaType", media_type::oci_config).end_object().take());
  edit.manifest_.set("layers", "[]");
  return edit;
}

ImageEdit::ImageEdit(const RawManifest& manifest, std::string_view config) {
  if (manifest.media_type != media_type::oci_manifest) {
    throw InvalidData(str("manifest ", quoted(manifest.digest.text()), " is of type ",
                          quoted(manifest.media_type),
                          "; only images in the OCI's format can be "
                          "changed"));
  }
  manifest_ = parse_object(manifest.bytes, "manifest");
  config_ = parse_object(config, "config");
  if (const auto settings = config_.find("config")) settings_ = JsonObject(*settings);
}

void ImageEdit::add_layer(Descriptor layer, const DiffId& diff_id, std::uint64_t uncompressed) {
  if (uncompressed != layer.size) {
    layer.annotations = std::map<std::string, std::string>{
        {std::string(k_uncompressed_size), std::to_string(uncompressed)}};
  }
  manifest_.set("layers", appended(manifest_.find("layers"), descriptor_text(layer)));
  JsonObject rootfs(config_.find("rootfs").value_or("{}"));
  rootfs.set("diff_ids", appended(rootfs.find("diff_ids"), json_text(diff_id.digest.text())));
  config_.set("rootfs", rootfs.text());
}

void ImageEdit::add_history(const HistoryEntry& entry) {
  config_.set("history", appended(config_.find("history"), history_text(entry)));
}

void ImageEdit::set(std::string_view name, const std::string& value) {
  config_.set(name, json_text(value));
}

void ImageEdit::store_settings() {
  config_.set("config", settings_.text());
}

void ImageEdit::set_setting(std::string_view name, const std::string& value) {
  if (value.empty()) {
    settings_.erase(name);
  } else {
    settings_.set(name, json_text(value));
  }
  store_settings();
}

void ImageEdit::set_setting(std::string_view name, const std::vector<std::string>& values) {
  if (values.empty()) {
    settings_.erase(name);
  } else {
    settings_.set(name, JsonWriter().texts(values).take());
  }
  store_settings();
}

void ImageEdit::set_setting(std::string_view name,
                            const std::map<std::string, std::string>& values) {
  if (values.empty()) {
    settings_.erase(name);
  } else {
    settings_.set(name, JsonWriter().text_map(values).take());
  }
  store_settings();
}

void ImageEdit::set_names(std::string_view name, const std::vector<std::string>& names) {
  if (names.empty()) {
    settings_.erase(name);
  } else {
    JsonWriter json;
    json.begin_object();
    for (const std::string& each : names) json.name(each).raw("{}");
    settings_.set(name, json.end_object().take());
  }
  store_settings();
}

void ImageEdit::set_annotations(const std::map<std::string, std::string>& annotations) {
  if (annotations.empty()) {
    manifest_.erase("annotations");
  } else {
    manifest_.set("annotations", JsonWriter().text_map(annotations).take());
  }
}

RawManifest ImageEdit::manifest() const {
  const std::string config = config_text();
  JsonObject descriptor(manifest_.find("config").value_or("{}"));
  descriptor.set("digest", json_text(Digest::of(config).text()));
  descriptor.set("size", std::to_string(config.size()));
  descriptor.erase("data");
  JsonObject manifest = manifest_;
  manifest.set("mediaType", json_text(media_type::oci_manifest));
  manifest.set("config", descriptor.text());
  RawManifest raw = RawManifest::make(manifest.text(), std::string(media_type::oci_manifest));
  const std::size_t layers = parse_manifest(raw.bytes).layers.size();
  if (layers != parse_image_config(config).diff_ids.size()) {
    throw InvalidData("the image has not as many layers as its config has DiffIDs");
  }
  return raw;
}

}  // namespace lade::registry
