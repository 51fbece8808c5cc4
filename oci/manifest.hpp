// Image manifests and indexes, OCI and Docker schema 2. The bytes are the identity: a parsed
// manifest is a view for reading and is never serialised again. image-spec, manifest.md and
// image-index.md.
#pragma once

#include "oci/descriptor.hpp"
#include "oci/media_type.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade {

/// Manifests and configs larger than this are refused unread (bytes).
inline constexpr std::size_t k_manifest_cap = 4 * 1024 * 1024;
/// JSON nested deeper than this is refused.
inline constexpr int k_json_depth = 64;

/// A manifest as it came: its bytes, and the media type and digest that belong to them.
struct RawManifest {
  std::string bytes;
  std::string media_type;
  Digest digest;

  /// Computes the digest of `bytes`.
  static RawManifest make(std::string bytes, std::string media_type);
  ManifestKind kind() const { return manifest_kind(media_type); }
  /// Its own descriptor.
  Descriptor descriptor() const { return {media_type, digest, bytes.size()}; }
};

/// An image manifest, OCI or Docker schema 2.
struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;
  std::optional<std::map<std::string, std::string>> annotations;
  std::string artifact_type;
  std::optional<Descriptor> subject;
};

/// An image index or Docker manifest list.
struct Index {
  std::vector<Descriptor> manifests;
  std::optional<std::map<std::string, std::string>> annotations;
  std::string artifact_type;
  std::optional<Descriptor> subject;
};

/// The media type that the bytes state (`mediaType`, else told from their members), or `fallback`
/// (the Content-Type). Refuses a document that is both manifest and index (CVE-2021-41190).
std::string detect_manifest_type(std::string_view bytes, std::string_view fallback);

/// Parses an image manifest. Throws InvalidData on anything that does not follow the specification.
Manifest parse_manifest(std::string_view bytes);

/// Parses an index. Throws InvalidData.
Index parse_index(std::string_view bytes);

}  // namespace lade
