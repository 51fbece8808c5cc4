// The system call filter as a program for the kernel: made by the parent, loaded by the child.
#pragma once

#include "base/fd.hpp"
#include "runner/plan.hpp"

#include <linux/filter.h>

#include <span>
#include <string>
#include <vector>

namespace lade::runner {

/// A classic BPF program for seccomp(2).
using SeccompProgram = std::vector<sock_filter>;

/// Lade's default profile (runner/seccomp/profile.hpp) for a container with `capabilities`. The one
/// for the default set was compiled when lade was built; others take a few milliseconds. Throws
/// SystemError.
SeccompProgram make_seccomp_program(const std::vector<std::string>& capabilities);

/// A program and how it is loaded.
struct SeccompFilter {
  SeccompProgram program;
  unsigned flags = 0;  ///< SECCOMP_FILTER_FLAG_*
};

/// Parent: the filter that a step loads. With a directory, programs are kept there
/// (runner/seccomp/cache.hpp). Throws SystemError.
SeccompFilter make_seccomp_filter(const step::LoadSeccomp& step, const std::string& cache);

/// Child: loads the filter. Needs CAP_SYS_ADMIN or no_new_privs. If there are calls that somebody
/// else answers, the result is the descriptor to listen at.
Fd load_seccomp(const SeccompFilter& filter);

}  // namespace lade::runner
