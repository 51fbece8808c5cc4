// Small text helpers. str() is all the formatting the library needs (docs/decisions/0004).
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade {

namespace detail {
inline void append_piece(std::string& out, std::string_view text) {
  out += text;
}
inline void append_piece(std::string& out, char c) {
  out += c;
}
template <std::integral Number>
requires(!std::same_as<Number, char> &&
         !std::same_as<Number, bool>) void append_piece(std::string& out, Number number) {
  out += std::to_string(number);
}
}  // namespace detail

/// Concatenates strings, characters and integers.
template <class... Pieces>
std::string str(const Pieces&... pieces) {
  std::string out;
  (detail::append_piece(out, pieces), ...);
  return out;
}

/// `text` in back-quotes for a message, control characters escaped as `\x1b`, so that hostile names
/// cannot write to the terminal.
std::string quoted(std::string_view text);

/// `text` with control characters escaped, without quotes.
std::string printable(std::string_view text);

/// The parts of `text` between separators; an empty text has one empty part.
std::vector<std::string> split(std::string_view text, char separator);

/// `parts` with `separator` between them.
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// `text` without blanks, tabs and line ends at both ends.
std::string_view trim(std::string_view text);

/// ASCII lower case, locale or not.
std::string ascii_lower(std::string_view text);

/// Equal but for ASCII case.
bool ascii_iequals(std::string_view a, std::string_view b);

/// The whole of `text` as a decimal number; nothing on any other character, overflow or emptiness.
template <std::integral Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

/// Bytes for people, in powers of 1024: `3.4 MiB`. For messages and progress.
std::string human_size(std::uint64_t bytes);

/// Bytes in powers of 1000 as podman and docker print image sizes: `3.42 MB`.
std::string decimal_size(std::uint64_t bytes);

/// Lower-case hexadecimal digits of `bytes`.
std::string to_hex(std::string_view bytes);

}  // namespace lade
