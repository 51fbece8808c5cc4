// The manifests of a copy as one destination gets them: as they are, or written anew.
#pragma once

#include "registry/conversion.hpp"
#include "registry/image_tree.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace lade::registry {

/// A format to write in; nothing: each manifest in its own.
using FormatChoice = std::optional<ManifestFormat>;

/// Gives the bytes of a configuration.
using ReadConfig = std::function<const std::string&(const Descriptor&)>;

/// A tree as it is to be written.
struct WrittenTree {
  std::vector<RawManifest> manifests;  ///< of the nodes, in their order
  std::vector<std::string> configs;    ///< those that are new

  /// Whether nothing of it is changed.
  bool is_same_as(const ImageTree& tree) const;
};

/// Writes what has to be written anew: manifests in another format or with other layers, and the
/// lists that they are in; stripped lists. Throws InvalidData for what cannot be.
WrittenTree write_tree(const ImageTree& tree, FormatChoice format, const NewLayers& layers,
                       const ReadConfig& read_config);

/// Whether a tree's manifests could be put as they are, or written in `format`, given what the
/// destination accepts.
bool is_accepted(const ImageTree& tree, FormatChoice format, const ImageSink& sink);

/// Whether `format` leaves the manifests' types as they are.
bool keeps_formats(const ImageTree& tree, FormatChoice format);

}  // namespace lade::registry
