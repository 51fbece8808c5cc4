// What the verbs that make bundles share: their options, and the config.json of an image.
#pragma once

#include "base/directory.hpp"
#include "cli/arguments.hpp"
#include "cli/options.hpp"
#include "oci/image_config.hpp"
#include "snapshot/id_map.hpp"

#include <string>

namespace lade::cli {

/// `--uid-map`, `--gid-map`, `--rootless`.
void declare(OptionSet& options, OwnerFlags& owners);
/// What they mean; `--rootless` by itself maps root to whoever runs this. Throws UsageError.
snapshot::Ownership ownership_of(const OwnerFlags& owners);

/// Throws UsageError if `--image` was not given.
void require_image(const std::string& image);

/// The config.json for an image. `rootfs`, if known, tells what the user's name stands for; without
/// it a name is taken for root.
std::string bundle_config(const ImageConfig& image, const Directory* rootfs,
                          const snapshot::Ownership& ownership);

}  // namespace lade::cli
