// Where overlay cannot work: layers that are kept as their blobs only, and images unpacked from
// those into one directory for each container.
#pragma once

#include "base/directory.hpp"
#include "base/observer.hpp"
#include "base/stream.hpp"
#include "snapshot/apply.hpp"
#include "snapshot/chain.hpp"
#include "store/store.hpp"

#include <cstddef>
#include <vector>

namespace lade::snapshot {

/// Reads the plain tar `tar` to its end and unpacks nothing of it: marks the empty directory `tree`
/// as that of a packed layer. The tar's DiffID and size are all that comes out.
AppliedLayer pack_layer(Source& tar, const Directory& tree, const std::stop_token& stop);

/// Makes the tree of a layer, whatever is in it, that of a packed one.
void pack_tree(const Directory& tree);

/// Whether one of the layers is packed: no overlay can be made of them.
bool is_packed(const std::vector<ChainLink>& chain);

/// Unpacks the `count` lowest layers of an image from their blobs into the empty directory
/// `target`. Throws as unpack_flat().
void copy_image(const store::Store& store, const store::StoredImage& image, std::size_t count,
                const Directory& target, const Job& job);

}  // namespace lade::snapshot
