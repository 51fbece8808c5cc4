// Manifests written anew: in another format, with layers compressed differently, or of lists of
// which not all is wanted. Bytes in, bytes out; what comes out is what skopeo writes.
#pragma once

#include "base/compress.hpp"
#include "oci/manifest.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lade::registry {

/// What manifests are written as: the OCI's types, or Docker's schema 2.
enum class ManifestFormat { oci, v2s2 };

/// `OCI` or `Docker`, for messages.
std::string_view name_of(ManifestFormat format);

/// The format that a manifest or list is in; nothing for schema 1 and what is not known.
std::optional<ManifestFormat> format_of(const RawManifest& manifest);

/// What a layer's media type says.
struct LayerType {
  Compression compression = Compression::none;
  bool foreign = false;  ///< not distributable: kept at its URLs
};

/// Reads a layer's media type; nothing for what is not a layer of files.
std::optional<LayerType> parse_layer_type(std::string_view media_type);

/// How a layer is compressed in truth: one whose digest is its DiffID is not, whatever its media
/// type says. docker-archives have such layers (docs/decisions/0012).
Compression actual_compression(const LayerType& type, const Digest& layer, const DiffId& diff_id);

/// A layer's media type. Throws InvalidData for zstd in Docker's format, which has none.
std::string layer_media_type(const LayerType& type, ManifestFormat format);

/// What has taken a layer's place, by the digest that it had.
struct NewLayer {
  Digest digest;
  std::uint64_t size = 0;  ///< bytes
  Compression compression = Compression::none;
};
using NewLayers = std::map<Digest, NewLayer>;

/// An image manifest that was written anew.
struct WrittenImage {
  RawManifest manifest;
  std::optional<std::string> config;  ///< its configuration, if that is another one now
};

/// Whether writing an image in a format takes the bytes of its configuration.
bool needs_config(const RawManifest& manifest, ManifestFormat format);

/// Writes an image manifest in a format and with other layers. `config` is that of the image, where
/// needs_config(). An OCI configuration is taken over as it is; one of Docker's loses what the OCI
/// does not know (health checks, ONBUILD). Throws InvalidData for an artifact, for media types that
/// have no counterpart, and for what cannot be expressed.
WrittenImage write_image(const RawManifest& manifest, std::string_view config,
                         ManifestFormat format, const NewLayers& layers);

/// An entry of a list that is to stay.
struct KeptEntry {
  std::size_t entry;            ///< its place in the list
  const RawManifest* manifest;  ///< what it refers to from now on
};

/// Writes a list in a format, of some of its entries. Throws InvalidData.
RawManifest write_list(const RawManifest& list, std::span<const KeptEntry> entries,
                       ManifestFormat format);

}  // namespace lade::registry
