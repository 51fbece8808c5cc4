// Network devices of the host that move into a container. runtime-spec, config-linux.md "Network
// Devices".
#pragma once

#include "oci/runtime_spec.hpp"

#include <sys/types.h>

#include <vector>

namespace lade::runner {

/// Parent: moves the devices into the network namespace of a process, with their permanent global
/// addresses and new names, and sets them up. Throws SystemError; Error if a name is taken there.
/// The kernel gives physical devices back when the namespace ends. THREADS: single-threaded
/// callers only.
void move_net_devices(const std::vector<SpecNetDevice>& devices, pid_t pid);

}  // namespace lade::runner
