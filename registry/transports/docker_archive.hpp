// The documents inside a docker-archive: manifest.json, which lists the images, and what older
// versions of Docker read instead of it.
#pragma once

#include "oci/descriptor.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lade::registry {

/// One image of an archive: names of members, and the names of the image as they are written.
struct DockerArchiveItem {
  std::string config;
  std::vector<std::string> tags;
  std::vector<std::string> layers;  ///< the bottom first
};

/// Parses manifest.json. Throws InvalidData.
std::vector<DockerArchiveItem> parse_docker_archive(std::string_view manifest_json);

/// An image as it is to be written.
struct DockerArchiveImage {
  Digest config;
  std::string config_bytes;
  std::vector<DiffId> layers;
  std::vector<Reference> tags;  ///< each with a tag
};

/// The names of members.
std::string docker_config_name(const Digest& config);
std::string docker_layer_name(const DiffId& layer);

/// manifest.json of some images.
std::string docker_archive_text(const std::vector<DockerArchiveImage>& images);

/// One directory of the format before manifest.json: a layer as an image of its own.
struct LegacyLayer {
  std::string id;
  std::string json;
};

/// The legacy images of an image, one a layer, each the parent of the next.
std::vector<LegacyLayer> legacy_layers(const DockerArchiveImage& image);

/// The legacy file `repositories`: names, tags and the legacy image of each.
std::string repositories_text(const std::vector<DockerArchiveImage>& images);

/// The manifest that an image of an archive has outside of it: Docker's schema 2 with the layers as
/// plain tars. Their media type says gzip all the same, as skopeo's does, so that the digest of an
/// image in an archive is what skopeo says it is; such a layer is known by its digest, which is its
/// DiffID (actual_compression()).
RawManifest docker_archive_manifest(const Descriptor& config,
                                    const std::vector<Descriptor>& layers);

}  // namespace lade::registry
