// UTF-8, as much of it as printing and measuring need.
#pragma once

#include <cstddef>
#include <string_view>

namespace lade::go {

/// The length of the UTF-8 sequence that `text`, which is not empty, begins with; 0 if it is none.
std::size_t sequence_length(std::string_view text);

/// How many characters; each byte that belongs to none counts as one.
std::size_t count_characters(std::string_view text);

/// The first `count` characters.
std::string_view first_characters(std::string_view text, std::size_t count);

/// The code point that `text`, which is not empty, begins with; U+FFFD for a wrong byte.
char32_t first_code_point(std::string_view text);

}  // namespace lade::go
