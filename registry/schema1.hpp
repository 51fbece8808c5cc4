// Docker's first image format, which had no configuration: each layer came with the history of its
// making. Only read, and at once turned into schema 2.
#pragma once

#include "oci/digest.hpp"
#include "oci/manifest.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// What an image in schema 1 says of itself.
struct Schema1Image {
  /// One step of its making.
  struct Step {
    Digest blob;             ///< the layer, which may be one of nothing
    bool throwaway = false;  ///< whether the layer is of nothing, and not to be kept
    std::string history;     ///< as an entry of a configuration's history
  };
  std::vector<Step> steps;  ///< the oldest first
  std::string newest;       ///< the JSON that the configuration is made of
};

/// Parses a manifest of schema 1, signed or not; signatures are not looked at. Throws InvalidData,
/// also where the steps do not follow each other.
Schema1Image parse_schema1(std::string_view bytes);

/// A layer of an image in schema 1, of which it says neither the size nor the DiffID.
struct KnownLayer {
  Descriptor descriptor;
  DiffId diff_id;
};

/// An image of schema 2, and its configuration.
struct Schema2Image {
  RawManifest manifest;
  std::string config;
};

/// The same image in schema 2, as skopeo writes it. `layers` are those of the steps that are not
/// thrown away, in their order.
Schema2Image to_schema2(const Schema1Image& image, std::span<const KnownLayer> layers);

}  // namespace lade::registry
