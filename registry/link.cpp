#include "registry/link.hpp"

#include "base/text.hpp"

namespace lade::registry {

namespace {

/// The end of `text` up to a separator that is not inside quotes.
std::size_t find_unquoted(std::string_view text, std::string_view separators) {
  bool in_quotes = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_quotes && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      in_quotes = !in_quotes;
    } else if (!in_quotes && separators.find(text[i]) != std::string_view::npos) {
      return i;
    }
  }
  return text.size();
}

/// Whether a `;`-separated list of parameters has `rel` with `next` among its values.
bool is_next(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::size_t end = find_unquoted(parameters, ";");
    const std::string_view parameter = trim(parameters.substr(0, end));
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    const auto equals = parameter.find('=');
    if (equals == std::string_view::npos) continue;
    if (!ascii_iequals(trim(parameter.substr(0, equals)), "rel")) continue;
    std::string_view value = trim(parameter.substr(equals + 1));
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
      value = value.substr(1, value.size() - 2);
    }
    for (const std::string& relation : split(value, ' ')) {
      if (ascii_iequals(relation, "next")) return true;
    }
  }
  return false;
}

}  // namespace

std::optional<std::string> find_next_link(const std::vector<std::string>& fields) {
  for (const std::string& field : fields) {
    std::string_view rest = field;
    for (;;) {
      const auto open = rest.find('<');
      const auto close = rest.find('>', open);
      if (open == std::string_view::npos || close == std::string_view::npos) break;
      const std::string_view target = rest.substr(open + 1, close - open - 1);
      rest.remove_prefix(close + 1);
      const std::size_t end = find_unquoted(rest, ",");
      if (is_next(rest.substr(0, end))) return std::string(trim(target));
      rest.remove_prefix(end);
    }
  }
  return std::nullopt;
}

}  // namespace lade::registry
