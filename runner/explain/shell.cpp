#include "runner/explain/shell.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace lade::runner {

namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_./:=,@%+-").find(c) != std::string_view::npos;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

/// Within `$'…'`.
std::string escaped(char c) {
  switch (c) {
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    case '\\':
      return "\\\\";
    case '\'':
      return "\\'";
    default:
      return is_control(c) ? str("\\x", to_hex(std::string_view(&c, 1))) : std::string(1, c);
  }
}

}  // namespace

std::string shell_word(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    throw UsageError(str("a shell has no word for ", quoted(text)));
  }
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  std::string word;
  if (std::any_of(text.begin(), text.end(), is_control)) {
    for (const char c : text) word += escaped(c);
    return str("$'", word, '\'');
  }
  for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return str('\'', word, '\'');
}

std::string shell_words(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += str(text.empty() ? "" : " ", shell_word(word));
  return text;
}

std::string shell_comment(std::string_view text) {
  return str("# ", printable(text), '\n');
}

}  // namespace lade::runner
