// A file of a lower layer copied into an upper one, as overlay itself would do it.
#pragma once

#include "base/directory.hpp"
#include "snapshot/metadata.hpp"

#include <string>

namespace lade::snapshot {

/// Copies what `file` (O_PATH) is to a new name with data and attributes; `where` tells how it was
/// found. Throws InvalidData on a directory or a whiteout.
void copy_up(const Fd& file, XattrsOf where, const Directory& target, const std::string& name,
             MetadataWriter& metadata);

}  // namespace lade::snapshot
