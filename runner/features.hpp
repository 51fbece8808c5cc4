// What lade can do as an OCI runtime, for engines that ask before they write a configuration.
// runtime-spec, features.md and features-linux.md.
#pragma once

#include <string>
#include <string_view>

namespace lade::runner {

/// The document, indented; `version` is lade's own. What a host can do is not in it.
std::string make_features(std::string_view version);

}  // namespace lade::runner
