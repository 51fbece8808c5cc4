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
               const std::vector<Descriptor>& layers) {
  std::string bytes = write_image_config(config);
  const Descriptor descriptor{std::string(media_type::oci_config), Digest::of(bytes), bytes.size()};
  put(sink, descriptor, std::move(bytes));
  const RawManifest manifest = write_manifest({.config = descriptor, .layers = layers});
  sink.put_manifest(manifest, manifest.digest);
}

}  // namespace lade::cli
