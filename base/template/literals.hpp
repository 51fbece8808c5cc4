// Inside base/template: numbers and texts as Go writes them.
#pragma once

#include "base/template/value.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace lade::go {

/// A number: decimal, 0x, 0o, 0b, with `_`, or with a fraction or exponent; nothing for others.
std::optional<Value> parse_constant(std::string text);

/// The text between quotes, which `text` includes, with its escapes resolved; nothing if one is
/// wrong.
std::optional<std::string> unquote(std::string_view text);

}  // namespace lade::go
