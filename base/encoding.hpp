// Base64 and percent encoding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lade {

/// RFC 4648 base64 with padding.
std::string base64_encode(std::string_view bytes);

/// The bytes of base64 text, padding optional; nothing on any other character.
std::optional<std::string> base64_decode(std::string_view text);

/// RFC 3986 percent encoding of everything but unreserved characters, for query values.
std::string percent_encode(std::string_view text);

}  // namespace lade
