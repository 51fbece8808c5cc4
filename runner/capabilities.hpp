// Capabilities and credentials. The only file that knows libcap.
#pragma once

#include "runner/users.hpp"

#include <string>
#include <vector>

namespace lade::runner {

/// Child: gives up everything but `capabilities` (bounding set; permitted and effective for uid 0
/// only; inheritable and ambient empty), then becomes `user`. Names that this kernel does not know
/// are left out. Throws SystemError.
void become_user(const ResolvedUser& user, const std::vector<std::string>& capabilities);

/// Child: no program that it executes gains privileges.
void set_no_new_privileges();

}  // namespace lade::runner
