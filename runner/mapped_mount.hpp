// Mounts whose files seem to have other owners. Parent half: only who owns the file system may map.
#pragma once

#include "base/fd.hpp"
#include "oci/runtime_spec.hpp"

#include <string>
#include <vector>

namespace lade::runner {

/// Whether the mounts below are mapped, too.
enum class MappedMounts { topmost, all };

/// Parent: maps the owners of a detached mount: an id that a file has, `container`, is seen as
/// `host`. `what` names it in the error. Throws SystemError.
void map_owners(const Fd& mount, const std::vector<SpecIdMapping>& uids,
                const std::vector<SpecIdMapping>& gids, MappedMounts mounts,
                const std::string& what);

}  // namespace lade::runner
