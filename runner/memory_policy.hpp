// From which memory nodes the container's process gets its memory.
#pragma once

#include "oci/runtime_spec.hpp"

namespace lade::runner {

/// Child: sets the policy of this process and the programs that it becomes (set_mempolicy). Throws
/// SystemError, InvalidData for nodes that are no list.
void set_memory_policy(const SpecMemoryPolicy& policy);

}  // namespace lade::runner
