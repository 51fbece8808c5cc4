#include "cli/new_image.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/config_change.hpp"
#include "oci/new_image.hpp"
#include "oci/verified_source.hpp"

namespace lade::cli {

namespace {

void put(snapshot::LocalImageSink& sink, const Descriptor& descriptor, std::string bytes) {
  if (sink.has_blob(descriptor)) return;
  StringSource source(std::move(bytes));
  VerifiedSource verified(source, descriptor);
  sink.put_blob(descriptor, verified);
}

/// The type that the format has for what a layer truly is; it may come from an image of the other.
void name_type(Descriptor& layer, const DiffId& diff_id, registry::ManifestFormat format) {
  auto type = registry::parse_layer_type(layer.media_type);
  if (!type) return;
  type->compression = registry::actual_compression(*type, layer.digest, diff_id);
  layer.media_type = registry::layer_media_type(*type, format);
}

}  // namespace

void change_config(ImageConfig& config, const std::vector<std::string>& changes,
                   Observer& observer) {
  for (const std::string& change : changes) {
    if (lade::change_config(config.process, change) == ConfigChange::made) continue;
    observer.note(NoteLevel::warning,
                  str("change ", quoted(change), " is left out: OCI images have no such member"));
  }
  try {
    // What can be wrong with the words is found before anything is read.
    parse_image_config(write_image_config(config));
  } catch (const InvalidData&) {
    throw UsageError("a change or the message is no text in UTF-8");
  }
}

void put_image(snapshot::LocalImageSink& sink, const ImageConfig& config,
               std::vector<Descriptor> layers, registry::ManifestFormat format) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    name_type(layers[i], config.diff_ids.at(i), format);
  }
  std::string bytes = write_image_config(config);
  Descriptor descriptor{std::string(media_type::oci_config), Digest::of(bytes), bytes.size()};
  RawManifest manifest = write_manifest({.config = descriptor, .layers = std::move(layers)});
  if (format == registry::ManifestFormat::v2s2) {
    manifest = registry::write_image(manifest, bytes, format, {}).manifest;
    descriptor.media_type = media_type::docker_config;
  }
  put(sink, descriptor, std::move(bytes));
  sink.put_manifest(manifest, manifest.digest);
}

}  // namespace lade::cli
