// The help pages, embedded from cli/help/*.md at build time.
#pragma once

#include "cli/arguments.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace lade::cli {

/// The page of a verb (`overview` for the program itself); nothing if there is no such verb.
std::optional<std::string_view> find_help_page(std::string_view verb);

/// The page as a program of some name prints it: of `lade copy`, `skopeo copy` is said there.
std::optional<std::string> help_text(const std::string& verb, ProgramName name);

}  // namespace lade::cli
