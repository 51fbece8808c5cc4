// The config.json of a bundle that is made from an image for somebody else to run: what umoci
// writes, by the image specification's conversion.md. A pure function.
#pragma once

#include "oci/image_config.hpp"
#include "runner/users.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lade::runner {

/// linux.uidMappings[] and linux.gidMappings[].
struct BundleIdMapping {
  std::uint32_t container = 0;
  std::uint32_t host = 0;
  std::uint32_t size = 0;
};

/// What the image does not say.
struct BundleOptions {
  std::string rootfs = "rootfs";  ///< root.path
  ResolvedUser user;
  std::vector<BundleIdMapping> uids;
  std::vector<BundleIdMapping> gids;
  bool rootless = false;  ///< for a runtime without privileges: no network of its own, no devices
  /// For `rootless`: the options of a bind mount of /etc/resolv.conf; nothing if there is none.
  std::optional<std::vector<std::string>> resolv_conf;
};

/// The document, indented. Throws InvalidData for an image that is not for Linux, or has an
/// environment that is malformed.
std::string make_bundle_config(const ImageConfig& image, const BundleOptions& options);

}  // namespace lade::runner
