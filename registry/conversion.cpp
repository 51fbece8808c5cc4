#include "registry/conversion.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/image_config.hpp"
#include "oci/json.hpp"
#include "oci/json_writer.hpp"
#include "registry/config_conversion.hpp"

#include <array>

namespace lade::registry {

namespace {

constexpr std::string_view k_oci_layer = "application/vnd.oci.image.layer.v1.tar";
constexpr std::string_view k_oci_foreign =
    "application/vnd.oci.image.layer.nondistributable.v1.tar";
constexpr std::string_view k_docker_layer = "application/vnd.docker.image.rootfs.diff.tar";
constexpr std::string_view k_docker_foreign =
    "application/vnd.docker.image.rootfs.foreign.diff.tar";

std::string manifest_type(ManifestFormat format) {
  return std::string(format == ManifestFormat::oci ? media_type::oci_manifest
                                                   : media_type::docker_manifest);
}

std::string list_type(ManifestFormat format) {
  return std::string(format == ManifestFormat::oci ? media_type::oci_index
                                                   : media_type::docker_list);
}

/// The members that every descriptor has. The order is Go's, which differs between the formats.
void write_basics(JsonWriter& json, const Descriptor& descriptor, ManifestFormat format) {
  json.member("mediaType", descriptor.media_type);
  if (format == ManifestFormat::oci) {
    json.member("digest", descriptor.digest.text()).member("size", descriptor.size);
  } else {
    json.member("size", descriptor.size).member("digest", descriptor.digest.text());
  }
  json.maybe_member("urls", descriptor.urls);
}

void write_descriptor(JsonWriter& json, const Descriptor& descriptor, ManifestFormat format) {
  json.begin_object();
  write_basics(json, descriptor, format);
  if (format == ManifestFormat::oci) {
    if (descriptor.annotations) json.maybe_member("annotations", *descriptor.annotations);
    json.maybe_member("artifactType", descriptor.artifact_type);
  }
  json.end_object();
}

/// A layer under its new digest and in the format's type.
Descriptor written_layer(const Descriptor& layer, bool changes_format, ManifestFormat format,
                         const NewLayers& layers) {
  Descriptor written = layer;
  const auto found = layers.find(layer.digest);
  auto type = parse_layer_type(layer.media_type);
  if (!type && (changes_format || found != layers.end())) {
    throw InvalidData(str("layer ", quoted(layer.digest.text()), " is of the type ",
                          quoted(layer.media_type), ", which cannot be converted"));
  }
  if (found != layers.end()) {
    written.digest = found->second.digest;
    written.size = found->second.size;
    type->compression = found->second.compression;
  }
  if (changes_format || found != layers.end()) {
    written.media_type = layer_media_type(*type, format);
  }
  return written;
}

std::string manifest_text(const Manifest& manifest, ManifestFormat format) {
  const bool oci = format == ManifestFormat::oci;
  JsonWriter json;
  json.begin_object().member("schemaVersion", 2).member("mediaType", manifest_type(format));
  if (oci) json.maybe_member("artifactType", manifest.artifact_type);
  json.name("config");
  write_descriptor(json, manifest.config, format);
  json.name("layers").begin_array();
  for (const Descriptor& layer : manifest.layers) write_descriptor(json, layer, format);
  json.end_array();
  if (oci && manifest.subject) {
    json.name("subject");
    write_descriptor(json, *manifest.subject, format);
  }
  if (oci && manifest.annotations) json.maybe_member("annotations", *manifest.annotations);
  return json.end_object().take();
}

std::vector<std::string> find_texts(const JsonNode& node, std::string_view name) {
  const auto found = node.find(name);
  return found ? found->texts() : std::vector<std::string>();
}

/// The members of a platform that are in both formats.
void write_platform(JsonWriter& json, const std::optional<JsonNode>& platform,
                    ManifestFormat format) {
  const Platform host = host_platform();
  json.name("platform").begin_object();
  json.member("architecture", platform ? platform->find_text("architecture") : host.architecture);
  json.member("os", platform ? platform->find_text("os") : host.os);
  if (platform) {
    json.maybe_member("os.version", platform->find_text("os.version"));
    json.maybe_member("os.features", find_texts(*platform, "os.features"));
    json.maybe_member("variant", platform->find_text("variant"));
    if (format == ManifestFormat::v2s2) {
      json.maybe_member("features", find_texts(*platform, "features"));
    }
  }
  json.end_object();
}

/// An entry of a list. Of a list in its own format nothing that is specified gets lost.
void write_entry(JsonWriter& json, const JsonNode& entry, const RawManifest& manifest,
                 ManifestFormat format, bool changes_format) {
  Descriptor descriptor = manifest.descriptor();
  // What a list says of a manifest that stays as it is, stays too.
  if (entry.get("digest").text() == descriptor.digest.text() &&
      format_of(manifest) == std::nullopt) {
    descriptor.media_type = entry.get("mediaType").text();
  }
  descriptor.urls = find_texts(entry, "urls");
  const auto platform = entry.find("platform");
  json.begin_object();
  write_basics(json, descriptor, format);
  if (format == ManifestFormat::oci && !changes_format) {
    if (const auto annotations = entry.find("annotations")) {
      json.maybe_member("annotations", annotations->text_map());
    }
  }
  // Docker's lists have a platform everywhere; skopeo takes its own where there is none.
  if (platform || format == ManifestFormat::v2s2) write_platform(json, platform, format);
  if (format == ManifestFormat::oci) {
    json.maybe_member("artifactType", entry.find_text("artifactType"));
  }
  json.end_object();
}

}  // namespace

std::string_view name_of(ManifestFormat format) {
  return format == ManifestFormat::oci ? "OCI" : "Docker";
}

std::optional<ManifestFormat> format_of(const RawManifest& manifest) {
  const std::string& type = manifest.media_type;
  if (type == media_type::oci_manifest || type == media_type::oci_index) return ManifestFormat::oci;
  if (type == media_type::docker_manifest || type == media_type::docker_list) {
    return ManifestFormat::v2s2;
  }
  return std::nullopt;
}

std::optional<LayerType> parse_layer_type(std::string_view media_type) {
  if (!is_layer_tar(media_type)) return std::nullopt;
  LayerType type;
  type.foreign = media_type.starts_with(k_oci_foreign) || media_type.starts_with(k_docker_foreign);
  if (media_type.ends_with("gzip")) type.compression = Compression::gzip;
  if (media_type.ends_with("zstd")) type.compression = Compression::zstd;
  return type;
}

Compression actual_compression(const LayerType& type, const Digest& layer, const DiffId& diff_id) {
  return layer == diff_id.digest ? Compression::none : type.compression;
}

std::string layer_media_type(const LayerType& type, ManifestFormat format) {
  const bool oci = format == ManifestFormat::oci;
  if (!oci && type.compression == Compression::zstd) {
    throw InvalidData("Docker's format has no layers compressed by zstd");
  }
  std::string text(oci ? (type.foreign ? k_oci_foreign : k_oci_layer)
                       : (type.foreign ? k_docker_foreign : k_docker_layer));
  if (type.compression != Compression::none) {
    text += str(oci ? '+' : '.', name_of(type.compression));
  }
  return text;
}

bool needs_config(const RawManifest& manifest, ManifestFormat format) {
  return format == ManifestFormat::oci && format_of(manifest) == ManifestFormat::v2s2;
}

namespace {

/// The layers that are plain although Docker's types call all layers gzip, beside those that are
/// new.
NewLayers with_plain_layers(const NewLayers& layers, const Manifest& manifest,
                            std::string_view config) {
  NewLayers known = layers;
  const std::vector<DiffId> diff_ids = parse_image_config(config).diff_ids;
  for (std::size_t i = 0; i < manifest.layers.size() && i < diff_ids.size(); ++i) {
    const Descriptor& layer = manifest.layers[i];
    if (layer.digest == diff_ids[i].digest)
      known.emplace(layer.digest, NewLayer{layer.digest, layer.size});
  }
  return known;
}

}  // namespace

WrittenImage write_image(const RawManifest& raw, std::string_view config, ManifestFormat format,
                         const NewLayers& new_layers) {
  const auto context = [&] { return str("convert manifest ", quoted(raw.digest.text())); };
  return in_context(context, [&] {
    Manifest manifest = parse_manifest(raw.bytes);
    const bool changes_format = format_of(raw) != format;
    WrittenImage written{.manifest = RawManifest::make("", "")};
    NewLayers layers = new_layers;
    if (changes_format && format == ManifestFormat::oci) {
      layers = with_plain_layers(new_layers, manifest, config);
      written.config = oci_config(config);
      manifest.config = {std::string(media_type::oci_config), Digest::of(*written.config),
                         written.config->size()};
    } else if (changes_format) {
      if (manifest.config.media_type != media_type::oci_config) {
        throw InvalidData(str("it is an artifact of the type ", quoted(manifest.config.media_type),
                              ", not an image"));
      }
      if (manifest.subject) {
        throw InvalidData("it refers to another manifest, which Docker's format cannot say");
      }
      manifest.config.media_type = media_type::docker_config;
    }
    for (Descriptor& layer : manifest.layers) {
      layer = written_layer(layer, changes_format, format, layers);
    }
    written.manifest = RawManifest::make(manifest_text(manifest, format), manifest_type(format));
    return written;
  });
}

RawManifest write_list(const RawManifest& list, std::span<const KeptEntry> entries,
                       ManifestFormat format) {
  const auto context = [&] { return str("write the index ", quoted(list.digest.text()), " anew"); };
  return in_context(context, [&] {
    parse_index(list.bytes);  // checks it
    const JsonValue document = parse_json(list.bytes, "index");
    const JsonNode root(document, "index");
    const bool oci = format == ManifestFormat::oci;
    const bool changes_format = format_of(list) != format;
    JsonWriter json;
    json.begin_object().member("schemaVersion", 2);
    if (changes_format || root.has("mediaType")) json.member("mediaType", list_type(format));
    if (oci) json.maybe_member("artifactType", root.find_text("artifactType"));
    const std::vector<JsonNode> all = root.get("manifests").items();
    json.name("manifests").begin_array();
    for (const KeptEntry& kept : entries) {
      write_entry(json, all.at(kept.entry), *kept.manifest, format, changes_format);
    }
    json.end_array();
    if (const auto subject = parse_index(list.bytes).subject; oci && subject) {
      json.name("subject");
      write_descriptor(json, *subject, format);
    }
    if (const auto annotations = root.find("annotations"); oci && annotations) {
      json.maybe_member("annotations", annotations->text_map());
    }
    return RawManifest::make(json.end_object().take(), list_type(format));
  });
}

}  // namespace lade::registry
