#include "registry/json_object.hpp"

#include "base/text.hpp"
#include "registry/transports/json_extents.hpp"

#include <algorithm>

namespace lade::registry {

namespace {

std::string in_quotes(std::string_view name) {
  return str('"', name, '"');
}

}  // namespace

JsonObject::JsonObject(std::string_view text) {
  for (const auto& [name, value] : json_members(text)) members_.emplace_back(name, value);
}

std::optional<std::string_view> JsonObject::find(std::string_view name) const {
  for (const auto& [key, value] : members_) {
    if (key == in_quotes(name) && value != "null") return std::string_view(value);
  }
  return std::nullopt;
}

void JsonObject::set(std::string_view name, std::string value) {
  for (auto& [key, old] : members_) {
    if (key == in_quotes(name)) {
      old = std::move(value);
      return;
    }
  }
  members_.emplace_back(in_quotes(name), std::move(value));
}

void JsonObject::erase(std::string_view name) {
  std::erase_if(members_, [&](const auto& member) { return member.first == in_quotes(name); });
}

std::string JsonObject::text() const {
  std::string out = "{";
  for (const auto& [name, value] : members_) {
    if (out.size() > 1) out += ',';
    out += name;
    out += ':';
    out += value;
  }
  return out + '}';
}

std::string appended(std::optional<std::string_view> list, std::string_view value) {
  const std::string_view trimmed = trim(list.value_or("[]"));
  const std::string_view inside = trimmed.substr(1, trimmed.size() - 2);
  return trim(inside).empty() ? str('[', value, ']') : str('[', inside, ',', value, ']');
}

}  // namespace lade::registry
