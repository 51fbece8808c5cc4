// layers/KEY/layer: what a layer is, in a file beside it, from which the index can be rebuilt.
#pragma once

#include "store/store.hpp"

#include <optional>
#include <string>

namespace lade::store {

/// The name of the file.
inline constexpr const char* k_layer_description = "layer";

/// Its text: a member a line.
std::string layer_description(const StoredLayer& layer);

/// Reads it back for the layer in layers/`key`; nothing if it is not whole, or not that layer's.
std::optional<StoredLayer> parse_layer_description(const std::string& text, const std::string& key);

/// The description of the layer in layers/`key`; nothing if the layer, its description or its tree
/// is not there.
std::optional<StoredLayer> find_layer_description(const Directory& layers, const std::string& key);

/// The description in `staged`, a directory that holds a layer for any chain and is not called by
/// its key yet; nothing if it is not whole.
std::optional<StoredLayer> find_staged_description(const Directory& staged);

/// `key` if it can be a layer's: 64 hex digits. It comes from a file and becomes a path. Throws
/// InvalidData.
const std::string& checked_layer_key(const std::string& key);

}  // namespace lade::store
