// A system call filter as ranges of call numbers. libseccomp writes a comparison for every call, a
// thousand instructions where neighbours share their answer; the kernel compiles each of them at
// every start.
#pragma once

#include "runner/seccomp/filter.hpp"

namespace lade::runner {

/// A program with the same answer to every call: its decisions by architecture and number become
/// searches in ranges of numbers, what follows them is kept. `program` itself if it is not of the
/// kind that libseccomp writes, or is short already.
SeccompProgram with_ranges(const SeccompProgram& program);

}  // namespace lade::runner
