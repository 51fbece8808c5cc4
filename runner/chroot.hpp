// When lade runs in a chroot(2) whose root is a plain directory. The kernel changes the propagation
// of mounts, and pivots, only where the root directory is the root of a mount.
#pragma once

namespace lade::runner {

/// Whether this process's root directory is the root of a mount; not so in most chroots.
bool root_is_mount();

/// Child, in a mount namespace of its own: makes the root of that namespace the root and the
/// working directory. Host paths mean other things from here on.
void leave_chroot();

}  // namespace lade::runner
