// Cache and memory bandwidth of a container, where the processor can divide them: a directory of
// the resctrl file system. runtime-spec, config-linux.md "IntelRdt".
#pragma once

#include "oci/runtime_spec.hpp"

#include <sys/types.h>

#include <string>

namespace lade::runner {

/// Where the host has mounted resctrl, by a mountinfo text; empty: nowhere.
std::string find_resctrl(std::string_view mountinfo);

/// Parent: the two below, where the host has mounted it. Throws Error if there is no resctrl.
void join_resctrl(const SpecIntelRdt& rdt, const std::string& container, pid_t pid);
void leave_resctrl(const SpecIntelRdt& rdt, const std::string& container);

/// Parent: puts a process into the class of service `rdt.clos_id`, or one called `container` that
/// is made, with its schemata, and with monitoring if asked for. `mount` is find_resctrl()'s.
/// Throws SystemError, Error if there is no resctrl or a class that was named does not exist and
/// has no schemata to be made with.
void join_resctrl(const SpecIntelRdt& rdt, const std::string& mount, const std::string& container,
                  pid_t pid);

/// Parent: removes the class that was made for this container only, and its monitoring.
void leave_resctrl(const SpecIntelRdt& rdt, const std::string& mount, const std::string& container);

}  // namespace lade::runner
