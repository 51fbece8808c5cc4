#include "registry/transports/json_extents.hpp"

#include <algorithm>
#include <cstddef>

namespace lade::registry {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

JsonExtents::JsonExtents(std::string_view text) : rest_(text) {
  if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
}

bool JsonExtents::take(char expected) {
  skip_blanks();
  if (rest_.empty() || rest_.front() != expected) return false;
  rest_.remove_prefix(1);
  return true;
}

std::string_view JsonExtents::take_value() {
  skip_blanks();
  const std::string_view start = rest_;
  std::size_t depth = 0;
  do {
    const char c = rest_.empty() ? '\0' : rest_.front();
    if (c == '"') {
      skip_string();
    } else if (c == '{' || c == '[') {
      ++depth;
      rest_.remove_prefix(1);
    } else if (c == '}' || c == ']') {
      --depth;
      rest_.remove_prefix(1);
    } else if (c == ',' || c == ':' || is_blank(c)) {
      rest_.remove_prefix(1);
    } else {
      skip_word();
    }
  } while (depth > 0 && !rest_.empty());
  return start.substr(0, start.size() - rest_.size());
}

void JsonExtents::skip_blanks() {
  while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
}

void JsonExtents::skip_word() {
  const std::size_t end = rest_.find_first_of(",:]} \t\n\r");
  rest_.remove_prefix(std::min(end, rest_.size()));
}

void JsonExtents::skip_string() {
  std::size_t i = 1;
  while (i < rest_.size() && rest_[i] != '"') i += rest_[i] == '\\' ? 2U : 1U;
  rest_.remove_prefix(std::min(i + 1, rest_.size()));
}

std::vector<std::pair<std::string_view, std::string_view>> json_members(std::string_view object) {
  std::vector<std::pair<std::string_view, std::string_view>> members;
  JsonExtents extents(object);
  if (!extents.take('{') || extents.take('}')) return members;
  do {
    const std::string_view name = extents.take_value();
    extents.take(':');
    members.emplace_back(name, extents.take_value());
  } while (extents.take(','));
  return members;
}

std::string compact_json(std::string_view value) {
  std::string compact;
  bool in_string = false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (!in_string && is_blank(c)) continue;
    if (c == '"') in_string = !in_string;
    if (c == '\\') {
      compact += value.substr(i++, 2);
    } else if (c == '<' || c == '>' || c == '&') {
      compact += c == '<' ? "\\u003c" : c == '>' ? "\\u003e" : "\\u0026";
    } else if (const auto rest = value.substr(i);
               rest.starts_with("\xe2\x80\xa8") || rest.starts_with("\xe2\x80\xa9")) {
      compact += rest[2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      compact += c;
    }
  }
  return compact;
}

}  // namespace lade::registry
