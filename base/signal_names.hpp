// Signals by the names that people and images write.
#pragma once

#include <optional>
#include <string_view>

namespace lade {

/// The number of `SIGTERM`, `term`, `15`, `RTMIN+3`; nothing for what is no signal.
std::optional<int> find_signal(std::string_view text);

}  // namespace lade
