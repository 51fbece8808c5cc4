// Writing JSON as Go's encoding/json does: compact, members in the order in which they are given,
// `<`, `>`, `&` and the line separators escaped. So what lade writes anew has the digest that other
// tools give it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lade {

/// Puts a document together. Members that are empty are left out by the functions called maybe_.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  /// The name of the member that comes next.
  JsonWriter& name(std::string_view name);

  JsonWriter& text(std::string_view value);
  JsonWriter& number(std::uint64_t value);
  JsonWriter& flag(bool value) { return raw(value ? "true" : "false"); }
  /// A value that is JSON already.
  JsonWriter& raw(std::string_view json);
  JsonWriter& texts(const std::vector<std::string>& values);
  /// An object of strings, its names sorted.
  JsonWriter& text_map(const std::map<std::string, std::string>& values);

  JsonWriter& member(std::string_view name, std::string_view value);
  JsonWriter& member(std::string_view name, std::uint64_t value);
  JsonWriter& maybe_member(std::string_view name, std::string_view value);
  JsonWriter& maybe_member(std::string_view name, const std::vector<std::string>& values);
  JsonWriter& maybe_member(std::string_view name, const std::map<std::string, std::string>& values);

  /// The document.
  std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string out_;
  bool first_ = true;
};

/// A document that this class wrote, a member a line, as Go's SetIndent() does.
std::string indented_json(std::string_view compact, std::string_view indent);

}  // namespace lade
