// A new tmpfs with a copy of what lies below it: the mount option `tmpcopyup`.
#pragma once

#include "base/fd.hpp"

#include <string>

namespace lade::runner {

/// Child: copies what is in one directory of the container to another, with owners, modes, times
/// and extended attributes; other mounts are not entered, sockets left out. `what` names it in
/// errors.
/// Throws SystemError.
void copy_tree(const Fd& from, const Fd& to, const std::string& what);

}  // namespace lade::runner
