// Images that are made here, of layers that are in the store or on their way in: what `import` and
// `commit` share.
#pragma once

#include "oci/image_config.hpp"
#include "oci/manifest.hpp"
#include "registry/conversion.hpp"
#include "snapshot/image_sink.hpp"

#include <string>
#include <vector>

namespace lade::cli {

/// Makes the changes of `-c`; warns of those that OCI images have no member for. Throws UsageError,
/// also if the result could not be read again.
void change_config(ImageConfig& config, const std::vector<std::string>& changes,
                   Observer& observer);

/// Puts the configuration and the manifest over `layers`, which may be of either format, into the
/// sink. Throws InvalidData for layers that the format has no type for.
void put_image(snapshot::LocalImageSink& sink, const ImageConfig& config,
               std::vector<Descriptor> layers,
               registry::ManifestFormat format = registry::ManifestFormat::oci);

}  // namespace lade::cli
