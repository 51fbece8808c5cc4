// The mounts of a specification as steps: what mount(8) options mean, and the order in which /dev
// is filled. Pure.
#pragma once

#include "runner/plan.hpp"

#include <string>
#include <vector>

namespace lade::runner {

/// Appends the steps of all mounts, devices and provided files. What an option asks for that cannot
/// be is told in `plan.warnings`. Throws UsageError.
void plan_mounts(const Spec& spec, const PlanOptions& options, Plan& plan);

/// A propagation option (`rslave`) in the terms of mount_setattr(2); nothing if it is none. Sets
/// nothing else in `flags`.
bool parse_propagation(std::string_view text, MountFlags& flags);

}  // namespace lade::runner
