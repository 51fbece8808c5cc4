#include "oci/media_type.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace lade {

ManifestKind manifest_kind(std::string_view media_type) {
  const std::string_view type = trim(media_type.substr(0, media_type.find(';')));
  if (type == media_type::oci_manifest || type == media_type::docker_manifest) {
    return ManifestKind::image;
  }
  if (type == media_type::oci_index || type == media_type::docker_list) return ManifestKind::index;
  if (type == media_type::docker_schema1 || type == media_type::docker_schema1_signed) {
    return ManifestKind::schema1;
  }
  return ManifestKind::unknown;
}

bool is_layer_tar(std::string_view media_type) {
  // Each with nothing or one compression behind it; foreign layers are those of the last two.
  static constexpr std::array<std::string_view, 4> stems = {
      "application/vnd.oci.image.layer.v1.tar",
      "application/vnd.docker.image.rootfs.diff.tar",
      "application/vnd.oci.image.layer.nondistributable.v1.tar",
      "application/vnd.docker.image.rootfs.foreign.diff.tar",
  };
  static constexpr std::array<std::string_view, 5> endings = {"", "+gzip", "+zstd", ".gzip",
                                                              ".zstd"};
  return std::any_of(stems.begin(), stems.end(), [&](std::string_view stem) {
    if (!media_type.starts_with(stem)) return false;
    const std::string_view ending = media_type.substr(stem.size());
    return std::find(endings.begin(), endings.end(), ending) != endings.end();
  });
}

}  // namespace lade
