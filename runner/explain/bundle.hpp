// `oci run --explain`: the script of a container that a bundle describes.
#pragma once

#include "runner/cgroups/manager.hpp"
#include "runner/lifecycle.hpp"

#include <string>

namespace lade::runner {

/// The script. Nothing is made: no state, no cgroup. Throws as create_container() does for a bundle
/// that is none, and as explain().
std::string explain_bundle(const NewContainer& container, CgroupManager cgroups);

}  // namespace lade::runner
