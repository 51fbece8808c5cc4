// Resource limits and the OOM score. Both halves: what a user namespace forbids, the parent does.
#pragma once

#include "oci/runtime_spec.hpp"

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace lade::runner {

/// Child: puts the limits in force. Throws SystemError.
void set_limits(const std::vector<SpecRlimit>& limits);

/// Parent: raises the hard limits of a child that are lower than these, which the child may then
/// use. Throws SystemError.
void raise_limits(pid_t pid, const std::vector<SpecRlimit>& limits);

/// Parent: sets the OOM score adjustment of a child. Throws SystemError.
void set_oom_score(pid_t pid, std::int32_t adjustment);

}  // namespace lade::runner
