// Where values begin and end in the text of JSON that a parser has found valid: what is kept byte
// for byte is cut out, not written anew.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lade::registry {

/// Goes through a valid document from front to back.
class JsonExtents {
 public:
  explicit JsonExtents(std::string_view text);

  /// Goes past `expected` if it comes next.
  bool take(char expected);

  /// Goes past one value; returns its text.
  std::string_view take_value();

 private:
  void skip_blanks();
  void skip_word();
  void skip_string();

  std::string_view rest_;
};

/// The members of a valid object: the names in their quotes, and the texts of the values.
std::vector<std::pair<std::string_view, std::string_view>> json_members(std::string_view object);

/// A valid value without blanks between its parts and with `<`, `>`, `&` and the line separators of
/// Unicode escaped, as Go writes what it copies.
std::string compact_json(std::string_view value);

}  // namespace lade::registry
