// How the container's process is given processors and disks: its scheduler, its I/O priority and
// the processors that it may use.
#pragma once

#include "oci/runtime_spec.hpp"

#include <sys/types.h>

#include <string>
#include <string_view>

namespace lade::runner {

/// Every processor that there is or may be, as a list.
inline constexpr std::string_view k_every_processor = "0-8191";

/// Throws UsageError for parameters that the policy has not.
void check_scheduler(const SpecScheduler& scheduler);

/// Child: sets the scheduler of this process (sched_setattr). Throws SystemError.
void set_scheduler(const SpecScheduler& scheduler);

/// Child: sets the I/O priority of this process (ioprio_set). Throws SystemError.
void set_io_priority(const SpecIoPriority& priority);

/// Both: the processors that a process may use, as a list (sched_setaffinity); 0 is this process.
/// The kernel leaves away what its cgroup does not have. Throws SystemError.
void set_affinity(pid_t pid, const std::string& processors);

}  // namespace lade::runner
