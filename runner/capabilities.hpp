// Capabilities and credentials. The only file that knows libcap.
#pragma once

#include "oci/runtime_spec.hpp"
#include "runner/users.hpp"

#include <string>
#include <vector>

namespace lade::runner {

/// The capabilities that libcap knows, `CAP_…`.
std::vector<std::string> known_capabilities();

/// Child: which of these capabilities cannot be had: names that this kernel does not know, and what
/// this process has not got itself.
std::vector<std::string> find_ungrantable(const ResolvedUser& user, const SpecCapabilities& wanted);

/// Child: gives up all supplementary groups but these. That there are none to be had is no error
/// where a user namespace denies any change of them. Throws SystemError.
void set_groups(const std::vector<gid_t>& groups);

/// Child: gives up everything but these capabilities, as far as they can be had, and becomes
/// `user`. Throws SystemError.
void become_user(const ResolvedUser& user, const SpecCapabilities& wanted);

/// Child: no program that it executes gains privileges.
void set_no_new_privileges();

}  // namespace lade::runner
