// Compiled system call filters on disk: libseccomp takes milliseconds for what is the same at every
// start. A file is named by the hash of what it was compiled from and holds the hash of what it is.
#pragma once

#include "runner/seccomp/filter.hpp"

#include <functional>
#include <string>

namespace lade::runner {

/// The name of a filter's file: a hash of every word of it, of the version of libseccomp and of
/// this code.
std::string cache_key(const SpecSeccomp& filter);

/// The program from `directory`, or from `compile`, which is then written there. A file that is
/// another user's, that others may write to, or whose content is not what it was is not used; that
/// it cannot be written is no error.
SeccompProgram find_or_compile(const std::string& directory, const std::string& key,
                               const std::function<SeccompProgram()>& compile);

}  // namespace lade::runner
