// Removing from an OCI layout what nothing in it refers to.
#pragma once

#include "oci/digest.hpp"
#include "registry/transports/oci_layout.hpp"

#include <cstdint>
#include <stop_token>
#include <vector>

namespace lade::registry {

/// What a collection removed.
struct LayoutCollection {
  std::vector<Digest> blobs;
  std::uint64_t bytes = 0;
};

/// Removes all blobs that no entry of index.json leads to, and temporary directories that nobody
/// holds, those of umoci too. Other writers wait meanwhile; one that has put blobs and not yet
/// listed them is told so by its commit. Throws InvalidData if something is not understood, so that
/// it cannot be told what is needed.
LayoutCollection collect_layout(const OciLayout& layout, const std::stop_token& stop = {});

}  // namespace lade::registry
