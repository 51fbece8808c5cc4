// The shape of a `dir:` image: one image and its instances as plain files in one directory, as
// skopeo writes it. Which file is what is told by its name alone.
#pragma once

#include "base/directory.hpp"
#include "oci/digest.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lade::registry {

/// The manifest, or the index whose instances are beside it.
inline constexpr const char* k_directory_manifest = "manifest.json";
/// The file that says that a directory is an image directory.
inline constexpr const char* k_directory_marker = "version";
/// No image has more signatures than this.
inline constexpr std::size_t k_most_signatures = 128;

/// The name of a blob: its hex digits, with the algorithm before them unless that is SHA-256.
std::string directory_blob_name(const Digest& digest);

/// The name of an instance's manifest.
std::string directory_instance_name(const Digest& digest);

/// The name of a signature, counted from 0: of the image, or of an instance.
std::string directory_signature_name(std::size_t index, const std::optional<Digest>& instance);

/// Whether a file of this name holds a signature.
bool is_directory_signature(std::string_view name);

/// The content of the marker: directories with other digests than SHA-256 are of a newer version.
std::string directory_marker(bool is_sha256_only);

/// Whether a directory has the marker, of either version. Throws InvalidData if it is not a regular
/// file.
bool is_image_directory(const Directory& directory);

}  // namespace lade::registry
