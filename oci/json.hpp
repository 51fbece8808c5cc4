// Reading JSON that somebody else wrote. A document is parsed within bounds (size, depth, number of
// values) and read through nodes that know where they are, so that a message can name the member.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lade {

/// A number that is no integer from 0 to 2^63-1: few members may be one.
struct JsonOtherNumber {
  enum class Kind { fraction, negative, large };
  Kind kind = Kind::fraction;
  std::uint64_t bits = 0;  ///< `negative`: of the int64_t; `large`: 2^63 to 2^64-1
};

/// A parsed value.
struct JsonValue {
  using Array = std::vector<JsonValue>;
  using Object = std::map<std::string, JsonValue, std::less<>>;
  std::variant<std::nullptr_t, bool, std::uint64_t, JsonOtherNumber, std::string, Array, Object>
      value;
};

/// A value and its place in its document, e.g. `layers[2].size`. All functions that expect a type
/// throw InvalidData naming the place. The document must outlive it.
class JsonNode {
 public:
  /// The root of a document; `document` says in messages what it is, e.g. `manifest`.
  JsonNode(const JsonValue& root, std::string_view document) : value_(&root), document_(document) {}

  /// Whether this object has a member of that name, null or not.
  bool has(std::string_view name) const;
  /// A member of this object; nothing if it is absent or null.
  std::optional<JsonNode> find(std::string_view name) const;
  /// find(), or throws.
  JsonNode get(std::string_view name) const;

  /// A string without NUL characters.
  const std::string& text() const;
  /// An integer from 0 to 2^63-1.
  std::uint64_t size() const;
  /// An integer from -2^63 to 2^63-1.
  std::int64_t integer() const;
  /// An integer from 0 to 2^64-1.
  std::uint64_t natural() const;
  bool flag() const;
  /// The elements of an array.
  std::vector<JsonNode> items() const;
  /// The strings of an array.
  std::vector<std::string> texts() const;
  /// The names of an object's members, sorted.
  std::vector<std::string> names() const;
  /// An object whose members are all strings; null is the empty one.
  std::map<std::string, std::string> text_map() const;

  /// Throws, naming the first one, if this object has other members than these.
  void allow_only(std::initializer_list<std::string_view> names) const;

  /// The text of a member, or empty if it is absent or null.
  std::string find_text(std::string_view name) const;

  /// Throws InvalidData: `invalid DOCUMENT: PLACE PROBLEM`.
  [[noreturn]] void fail(std::string_view problem) const;

 private:
  JsonNode(const JsonValue& value, std::string_view document, std::string place)
      : value_(&value), document_(document), place_(std::move(place)) {}
  const JsonValue::Object& members() const;
  JsonNode member(const std::string& name, const JsonValue& value) const;

  const JsonValue* value_;
  std::string_view document_;
  std::string place_;  // empty at the root
};

/// What becomes of a member whose object has one of the same name already.
enum class RepeatedMember { replaces, refused };

/// Parses a document of at most k_manifest_cap bytes and k_json_depth levels. Throws InvalidData,
/// also on invalid UTF-8; `document` says what it is.
JsonValue parse_json(std::string_view bytes, std::string_view document,
                     RepeatedMember repeated = RepeatedMember::replaces);

/// The strings of the array that the root object has as `member`; none if that is absent or null.
/// For long lists: nothing else is kept, and the caller bounds the size. Throws InvalidData.
std::vector<std::string> parse_text_list(std::string_view bytes, std::string_view document,
                                         std::string_view member);

}  // namespace lade
