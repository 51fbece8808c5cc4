// The container's /dev: nodes and links, relative to a descriptor of the directory that they go in.
#pragma once

#include "base/fd.hpp"
#include "runner/plan.hpp"
#include "runner/rootfs.hpp"

namespace lade::runner {

/// Child: makes the nodes, or shows those of the host where it may not. Their directories are made,
/// links on the way are refused; a node that is there already is kept, anything else replaced.
void make_devices(const Rootfs& root, const step::MakeDevices& step);

/// Child: makes a symbolic link, unless something is there.
void make_link(const Rootfs& root, const step::MakeLink& step);

/// Child: the container's /dev/null opened with `flags`, after it was made sure that it is the null
/// device: an image or a volume may have put something else there. Throws Error.
Fd open_null_device(const Rootfs& root, int flags);

}  // namespace lade::runner
