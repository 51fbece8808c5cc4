#include "base/template/literals.hpp"

#include "base/template/text_form.hpp"
#include "base/text.hpp"

#include <charconv>

namespace lade::go {

namespace {

void append_utf8(std::string& out, char32_t point) {
  const Value number = Value::integer(static_cast<std::int64_t>(point));
  out += sprintf("%c", {&number, 1});
}

/// Takes what comes after a backslash in numbers, `x41`, `u00e9`, `101`, off the text, and adds
/// what it means. False if that is none.
bool take_number(std::string_view& text, std::string& out) {
  const char kind = text[0];
  const bool is_octal = kind >= '0' && kind <= '7';
  const std::size_t width = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 3;
  if (!is_octal && width == 3) return false;
  if (!is_octal) text.remove_prefix(1);
  if (text.size() < width) return false;
  std::uint32_t point = 0;
  const auto result = std::from_chars(text.data(), text.data() + width, point, is_octal ? 8 : 16);
  if (result.ec != std::errc{} || result.ptr != text.data() + width) return false;
  text.remove_prefix(width);
  const bool is_character = width == 4 || width == 8;
  if (is_character && (point > 0x10ffff || (point >= 0xd800 && point < 0xe000))) return false;
  if (!is_character && point > 0xff) return false;
  if (is_character) {
    append_utf8(out, point);
  } else {
    out += static_cast<char>(point);
  }
  return true;
}

/// Takes what comes after a backslash off the text, and adds what it means.
bool take_escape(std::string_view& text, char quote_mark, std::string& out) {
  constexpr std::string_view k_letters = "abfnrtv\\'\"";
  constexpr std::string_view k_meant = "\a\b\f\n\r\t\v\\'\"";
  if (text.empty()) return false;
  const char kind = text[0];
  const auto at = k_letters.find(kind);
  const bool is_other_quote = (kind == '\'' || kind == '"') && kind != quote_mark;
  if (at == std::string_view::npos || is_other_quote) return take_number(text, out);
  out += k_meant[at];
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<Value> parse_constant(std::string text) {
  std::erase(text, '_');
  const bool is_negative = text.starts_with('-');
  std::string_view digits = text;
  if (is_negative || digits.starts_with('+')) digits.remove_prefix(1);
  int base = 10;
  const std::string lower = ascii_lower(digits.substr(0, 2));
  if (lower == "0x" || lower == "0o" || lower == "0b") {
    base = lower == "0x" ? 16 : lower == "0o" ? 8 : 2;
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && digits[0] == '0' &&
             digits.find_first_not_of("01234567") == std::string_view::npos) {
    base = 8;
  }
  const char* const end = digits.data() + digits.size();
  if (std::uint64_t size = 0; !digits.empty()) {
    const auto result = std::from_chars(digits.data(), end, size, base);
    const std::uint64_t limit = std::uint64_t{1} << 63;
    if (result.ec == std::errc{} && result.ptr == end && size < limit) {
      const auto number = static_cast<std::int64_t>(size);
      return Value::integer(is_negative ? -number : number);
    }
  }
  if (base != 10 && base != 8) return std::nullopt;
  double real = 0;
  const auto result = std::from_chars(digits.data(), end, real);
  if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
  return Value::real(is_negative ? -real : real);
}

std::optional<std::string> unquote(std::string_view text) {
  const char quote_mark = text[0];
  text = text.substr(1, text.size() - 2);
  std::string out;
  while (!text.empty()) {
    const char c = text[0];
    text.remove_prefix(1);
    if (c != '\\') {
      out += c;
    } else if (!take_escape(text, quote_mark, out)) {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace lade::go
