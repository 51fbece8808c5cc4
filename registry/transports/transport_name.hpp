// Names of images with their transport, as skopeo writes them: `docker://NAME[:TAG|@DIGEST]`,
// `oci:PATH[:REF]`, `oci:PATH:@POSITION`, `oci-archive:` and `docker-archive:` in the same way,
// `dir:PATH`; and lade's own `store:NAME`.
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

/// `dir:`: the one image of a directory, which has no name there.
struct DirectoryImageName {
  std::string path;
};

/// `docker-archive:`: an image in a file as `docker save` writes it.
struct DockerArchiveImageName {
  std::string path;
  std::optional<Reference> reference;   ///< with a tag; none: the only image, or one without a name
  std::optional<std::size_t> position;  ///< `@N`: the entry of manifest.json, from 0
};

/// `oci-archive:`: an image in a tar of an OCI layout; the same members as of `oci:`.
struct LayoutArchiveImageName {
  LayoutImageName name;
};

/// `store:`: an image in the local store.
struct StoreImageName {
  std::string name;  ///< as `pull`, `push` and `run` take it
};

/// An image and where it is.
using ImageName = std::variant<RegistryImageName, LayoutImageName, LayoutArchiveImageName,
                               DockerArchiveImageName, DirectoryImageName, StoreImageName>;

/// Parses a name with its transport. Throws UsageError; other transports are refused by name.
ImageName parse_image_name(std::string_view text);

}  // namespace lade::registry
