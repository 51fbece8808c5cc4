// An object of JSON that is changed member by member: every other byte of it stays as it was.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lade::registry {

/// The members of an object in their order, each with the text of its value.
class JsonObject {
 public:
  /// An object without members.
  JsonObject() = default;
  /// REQUIRES: `text` is a valid object, as parse_json() finds it.
  explicit JsonObject(std::string_view text);

  /// The text of a member's value; nothing if there is no such member, or it is null.
  std::optional<std::string_view> find(std::string_view name) const;
  /// Sets a member to a value that is JSON, in its place or at the end.
  void set(std::string_view name, std::string value);
  /// Takes a member away, if it is there.
  void erase(std::string_view name);
  bool empty() const noexcept { return members_.empty(); }
  /// The object, compact but for what is inside of values.
  std::string text() const;

 private:
  std::vector<std::pair<std::string, std::string>> members_;  // the names in their quotes
};

/// A list of JSON (nothing: an empty one) with one more value at its end.
std::string appended(std::optional<std::string_view> list, std::string_view value);

}  // namespace lade::registry
