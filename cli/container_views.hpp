// What verbs print of containers, mounts and changes, in podman's shapes.
#pragma once

#include "base/template/value.hpp"
#include "snapshot/mounted.hpp"
#include "snapshot/tree_changes.hpp"
#include "store/store.hpp"

#include <vector>

namespace lade::cli {

/// `mount --format json`.
go::Value mounts_value(const store::Store& store, const std::vector<snapshot::Mounted>& mounts);

/// `diff --format json`: paths by what became of them.
go::Value changes_value(const std::vector<snapshot::Change>& changes);

}  // namespace lade::cli
