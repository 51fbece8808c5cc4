// Which blobs the images of a layout need, wherever the layout is.
#pragma once

#include "oci/descriptor.hpp"

#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>

namespace lade::registry {

/// The bytes of a manifest; nothing if it is not there.
using ReadManifest = std::function<std::optional<std::string>(const Descriptor&)>;

/// The digests of some manifests and of all that they refer to, at any depth; nothing if there is
/// something among them that is not understood, so that no blob may be taken for superfluous.
std::optional<std::set<Digest>> find_reachable(std::span<const Descriptor> manifests,
                                               const ReadManifest& read);

}  // namespace lade::registry
