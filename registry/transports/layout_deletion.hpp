// Taking an image out of an OCI layout, with the blobs that only it needs.
#pragma once

#include "oci/transport.hpp"
#include "registry/transports/oci_layout.hpp"

#include <cstddef>
#include <optional>
#include <stop_token>

namespace lade::registry {

/// What a deletion took away.
struct LayoutDeletion {
  std::size_t blobs = 0;
  std::uint64_t bytes = 0;
};

/// Takes the entry off index.json that `key` names (the empty name: the only one), or the one at
/// `position`, and then removes the blobs that it refers to and no other entry does. Where that
/// cannot be told, since a manifest is missing or not understood, all blobs stay. Other writers
/// wait meanwhile; one that was about to reuse such a blob is told so by its commit. Throws
/// NotFound.
LayoutDeletion delete_layout_image(const OciLayout& layout, const ManifestKey& key,
                                   std::optional<std::size_t> position,
                                   const std::stop_token& stop = {});

}  // namespace lade::registry
