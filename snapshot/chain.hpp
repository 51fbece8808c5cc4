// Layers stacked: which directories an overlay mount of a chain needs, and what the chain looks
// like.
#pragma once

#include "base/directory.hpp"
#include "base/observer.hpp"
#include "snapshot/apply.hpp"
#include "snapshot/metadata.hpp"
#include "store/store.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lade::snapshot {

/// One layer of a chain, wherever its tree is at the moment.
struct ChainLink {
  std::string tree;  ///< path of the directory that overlay stacks
  bool root_entry = false;
  bool root_opaque = false;
};

/// The links of an image that is in the store, the bottom first.
std::vector<ChainLink> chain_of(const store::Store& store, const store::StoredImage& image);

/// The lower directories of a mount of `chain` (the bottom first), the topmost first, as mounts
/// want them: nothing below a layer that hides all, and no directory twice, which overlay refuses.
std::vector<std::string> lower_directories(const std::vector<ChainLink>& chain);

/// A read-only view of `chain`, mounted nowhere; nothing of an empty chain.
std::optional<Directory> open_chain(const std::vector<ChainLink>& chain, OverlayXattrs overlay);

/// The attributes of the root directory of `chain`: those of the topmost layer that has them, else
/// root's, 0755.
Attributes root_attributes(const std::vector<ChainLink>& chain);

/// Whether a layer could be finished as it is.
enum class Finish { done, apply_again };

/// Gives the directories that `layer` implies the attributes that they have in `lower` (null: there
/// is nothing below). `apply_again` if it links to files of `lower`, or names paths through links
/// of `lower`: then its tar must be applied again with `lower` in view. Throws InvalidData on a
/// hard link whose target cannot be anywhere.
Finish finish_layer(const Directory& tree, const AppliedLayer& layer, const Directory* lower,
                    OverlayXattrs overlay, Observer& observer);

}  // namespace lade::snapshot
