// The files of a procfs that lade has mounted for itself, and whose mount becomes the container's
// /proc in the end: what else the container has mounted there is never entered (CVE-2025-52881).
#pragma once

#include "base/fd.hpp"

#include <optional>
#include <string>

namespace lade::runner {

/// Child: opens a file by its path below the procfs. Throws SystemError, Error if something is
/// mounted over it or on the way.
Fd open_in_proc(const Fd& proc, const std::string& path, int flags);

/// The same, or nothing if there is none.
std::optional<Fd> find_in_proc(const Fd& proc, const std::string& path, int flags);

}  // namespace lade::runner
