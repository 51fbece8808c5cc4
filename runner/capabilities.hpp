// Capabilities and credentials. The only file that knows libcap.
#pragma once

#include "oci/runtime_spec.hpp"
#include "runner/users.hpp"

#include <string>
#include <vector>

namespace lade::runner {

/// Child: which of these capabilities cannot be had: names that this kernel does not know, and what
/// this process has not got itself.
std::vector<std::string> find_ungrantable(const ResolvedUser& user, const SpecCapabilities& wanted);

/// Child: gives up everything but these capabilities, as far as they can be had, and becomes
/// `user`. Throws SystemError.
void become_user(const ResolvedUser& user, const SpecCapabilities& wanted);

/// Child: no program that it executes gains privileges.
void set_no_new_privileges();

}  // namespace lade::runner
