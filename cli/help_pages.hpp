// The help pages, embedded from cli/help/*.md at build time.
#pragma once

#include <optional>
#include <string_view>

namespace lade::cli {

/// The page of a verb (`overview` for the program itself); nothing if there is no such verb.
std::optional<std::string_view> find_help_page(std::string_view verb);

}  // namespace lade::cli
