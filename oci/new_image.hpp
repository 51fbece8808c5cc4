// The documents of an image that is made here: its configuration and its manifest, as the OCI image
// specification's own Go types are serialised, so that other tools make the same bytes of the same
// image. image-spec, config.md and manifest.md.
#pragma once

#include "oci/image_config.hpp"
#include "oci/manifest.hpp"

#include <string>

namespace lade {

class JsonWriter;

/// The members of one step of a history, in an object that was begun.
void write_members(JsonWriter& json, const HistoryEntry& entry);

/// The bytes of a configuration blob; what is empty is left out.
std::string write_image_config(const ImageConfig& config);

/// An OCI image manifest over a configuration and its layers.
RawManifest write_manifest(const Manifest& manifest);

}  // namespace lade
