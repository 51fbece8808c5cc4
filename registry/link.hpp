// Web links (RFC 8288), as far as paging needs them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// The target of the first link with `rel="next"` in some `Link` fields, as it is written there.
std::optional<std::string> find_next_link(const std::vector<std::string>& fields);

}  // namespace lade::registry
