// This process's own program, mapped anew from another mount of its file. It takes the place of a
// second execve(), whose price is the program's whole start.
#pragma once

#include "base/fd.hpp"

namespace lade::runner {

/// Maps this program from `file`, which is its own file opened by way of another mount, and makes
/// that what `/proc/self/exe` is. Tells whether it succeeded; the process goes on in either case.
/// Call it while there is one thread only.
bool map_program_from(const Fd& file);

}  // namespace lade::runner
