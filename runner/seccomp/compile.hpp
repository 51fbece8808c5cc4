// The profile compiled to BPF by libseccomp: at build time for the default capabilities, at run
// time for others. The only unit that knows libseccomp.
#pragma once

#include "runner/seccomp/filter.hpp"

#include <string>
#include <vector>

namespace lade::runner {

/// Compiles the default profile for a container with `capabilities`. Throws SystemError.
SeccompProgram compile_seccomp_profile(const std::vector<std::string>& capabilities);

/// `2.5.4`
std::string seccomp_library_version();

/// The architectures that libseccomp knows, `SCMP_ARCH_…`, sorted.
std::vector<std::string> seccomp_architectures();

/// Compiles a filter of a specification. Calls that libseccomp does not know are left out, as if
/// they were not in it. Throws SystemError, InvalidData on words that are none.
SeccompProgram compile_seccomp(const SpecSeccomp& filter);

}  // namespace lade::runner
