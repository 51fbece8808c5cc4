// Verbs on OCI layouts that others share.
#pragma once

#include "cli/options.hpp"

#include <string>

namespace lade::cli {

/// `--layout`, which must be given.
void declare_layout(OptionSet& options, std::string& layout);
/// Throws UsageError in umoci's words for a path that is none.
void require_layout(const std::string& layout);

/// Gives the image `PATH[:TAG]` one more tag in its layout.
void tag_in_layout(const std::string& image, const std::string& tag);

}  // namespace lade::cli
