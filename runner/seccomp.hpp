// The system call filter as a program for the kernel: made by the parent, loaded by the child.
#pragma once

#include <linux/filter.h>

#include <span>
#include <string>
#include <vector>

namespace lade::runner {

/// A classic BPF program for seccomp(2).
using SeccompProgram = std::vector<sock_filter>;

/// Lade's default profile (seccomp_profile.hpp) for a container with `capabilities`. The one for
/// the default set was compiled when lade was built; others take a few milliseconds. Throws
/// SystemError.
SeccompProgram make_seccomp_program(const std::vector<std::string>& capabilities);

/// Child: loads the filter. Needs CAP_SYS_ADMIN or no_new_privs.
void load_seccomp(const SeccompProgram& program);

}  // namespace lade::runner
