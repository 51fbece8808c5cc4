// Images that are made here, of layers that are in the store or on their way in: what `import` and
// `commit` share.
#pragma once

#include "cli/environment.hpp"
#include "oci/image_config.hpp"
#include "oci/manifest.hpp"
#include "snapshot/image_sink.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lade::cli {

/// Makes the changes of `-c`; warns of those that OCI images have no member for. Throws UsageError,
/// also if the result could not be read again.
void change_config(ImageConfig& config, const std::vector<std::string>& changes,
                   Observer& observer);

/// SOURCE_DATE_EPOCH in seconds, if it is set. Throws UsageError if it is no number.
std::optional<std::int64_t> source_date_epoch(const Environment& environment);

/// Puts the configuration and the manifest over `layers` into the sink.
void put_image(snapshot::LocalImageSink& sink, const ImageConfig& config,
               const std::vector<Descriptor>& layers);

}  // namespace lade::cli
