// The execution domain: what a program is told of the machine that it runs on.
#pragma once

#include "oci/runtime_spec.hpp"

namespace lade::runner {

/// Child: sets it for this process and the programs that it becomes (personality). Throws
/// SystemError.
void set_personality(const SpecPersonality& wanted);

}  // namespace lade::runner
