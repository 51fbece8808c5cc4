// Names of images with their transport, as skopeo writes them: `docker://NAME[:TAG|@DIGEST]`,
// `oci:PATH[:REF]` and `oci:PATH:@POSITION`.
#pragma once

#include "oci/reference.hpp"
#include "oci/transport.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace lade::registry {

/// `docker://`: an image at a registry, with a tag or a digest.
struct RegistryImageName {
  Reference reference;
};

/// `oci:`: an image in an OCI layout.
struct LayoutImageName {
  std::string path;
  ManifestKey key;  ///< a name (empty: the only image, or none to be given) or a digest
  std::optional<std::size_t> position;  ///< `@N`: the entry of index.json, from 0; then no key
};

/// An image and where it is.
using ImageName = std::variant<RegistryImageName, LayoutImageName>;

/// Parses a name with its transport. Throws UsageError; other transports are refused by name.
ImageName parse_image_name(std::string_view text);

}  // namespace lade::registry
