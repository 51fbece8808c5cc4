// How `start` reaches a container that `create` has left waiting: a socket in the container's
// directory, on which its first process listens. The connection is a channel like the one to the
// process that created it: it tells a failure, and closes when the program has started.
#pragma once

#include "runner/channel.hpp"
#include "runner/runtime_root.hpp"

namespace lade::runner {

/// Parent: the socket, for the container's first process to inherit.
Fd listen_for_start(const ContainerHome& home);

/// Child: waits for `start`; its channel.
Channel await_start(const Fd& listener);

/// Whether the container waits for `start`, if it is alive.
bool waits_for_start(const ContainerHome& home);

/// Lets a waiting container go on: its channel. From now on it does not wait any more.
Channel tell_start(const ContainerHome& home);

}  // namespace lade::runner
