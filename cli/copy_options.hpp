// What the options of `copy` mean to the copy.
#pragma once

#include "cli/arguments.hpp"
#include "registry/copy.hpp"

namespace lade::cli {

/// `--all`, `--multi-arch`, `--platform`: which manifests of a list. Throws UsageError.
registry::Instances wanted_instances(const CopyArguments& arguments);

/// The platform to choose from a list by: `--platform` if it names one, else this machine's.
Platform wanted_platform(const CopyArguments& arguments);

/// `--format`, `--dest-compress-format` and what goes with them. Throws UsageError.
registry::Changes wanted_changes(const ChangeFlags& flags);

}  // namespace lade::cli
