// Which sysctls a container may set: those of namespaces that are its own.
#pragma once

#include "runner/plan.hpp"

#include <vector>

namespace lade::runner {

/// Appends a step for each. Throws UsageError on one that would change the host.
void plan_sysctl(const Spec& spec, std::vector<Step>& steps);

}  // namespace lade::runner
