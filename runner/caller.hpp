// Who has called lade: the system's administrator, or one of its users.
#pragma once

namespace lade::runner {

/// Whether this process acts for the whole system: it is root, and not only in a user namespace of
/// its own, as lade is when a user's podman runs it.
bool acts_for_system();

}  // namespace lade::runner
