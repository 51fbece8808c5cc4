#include "oci/json.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/manifest.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace lade {

namespace {

/// More values than any image has; bounds the memory that hostile JSON of the allowed size can
/// take.
constexpr std::size_t k_json_values = 256 * 1024;

/// Builds a JsonValue from the parser's events, which come without recursion.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(std::string_view document, RepeatedMember repeated)
      : document_(document), repeated_(repeated) {}

  JsonValue take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override {
    if (value < 0) {
      return add(
          JsonOtherNumber{JsonOtherNumber::Kind::negative, static_cast<std::uint64_t>(value)});
    }
    return add(static_cast<std::uint64_t>(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    constexpr auto k_max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (value > k_max) return add(JsonOtherNumber{JsonOtherNumber::Kind::large, value});
    return add(std::uint64_t{value});
  }
  bool number_float(number_float_t, const string_t&) override { return add(JsonOtherNumber{}); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open(JsonValue::Object{}); }
  bool start_array(std::size_t) override { return open(JsonValue::Array{}); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    throw InvalidData(str("invalid ", document_, ": not JSON at byte ", position));
  }

 private:
  template <class Value>
  JsonValue& place(Value&& value) {
    if (++count_ > k_json_values) {
      throw InvalidData(str("invalid ", document_, ": more than ", k_json_values, " JSON values"));
    }
    JsonValue* slot = &root_;
    if (!open_.empty()) {
      auto& container = open_.back()->value;
      if (auto* array = std::get_if<JsonValue::Array>(&container)) {
        slot = &array->emplace_back();
      } else {
        const auto [member, is_new] =
            std::get<JsonValue::Object>(container).try_emplace(key_, JsonValue{});
        if (!is_new && repeated_ == RepeatedMember::refused) {
          throw InvalidData(
              str("invalid ", document_, ": the member ", lade::quoted(key_), " comes twice"));
        }
        slot = &member->second;
      }
    }
    slot->value = std::forward<Value>(value);
    return *slot;
  }

  template <class Value>
  bool add(Value&& value) {
    place(std::forward<Value>(value));
    return true;
  }

  template <class Container>
  bool open(Container&& container) {
    if (open_.size() == static_cast<std::size_t>(k_json_depth)) {
      throw InvalidData(
          str("invalid ", document_, ": JSON nested deeper than ", k_json_depth, " levels"));
    }
    open_.push_back(&place(std::forward<Container>(container)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view document_;
  RepeatedMember repeated_;
  JsonValue root_;
  std::vector<JsonValue*> open_;  // a container does not move while it is open
  std::string key_;
  std::size_t count_ = 0;
};

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

/// Keeps the strings of one array of the root object.
class ListReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  ListReader(std::string_view document, std::string_view member)
      : document_(document), member_(member) {}

  std::vector<std::string> take() { return std::move(texts_); }

  bool null() override { return depth_ == 1 || other(); }
  bool boolean(bool) override { return other(); }
  bool number_integer(number_integer_t) override { return other(); }
  bool number_unsigned(number_unsigned_t) override { return other(); }
  bool number_float(number_float_t, const string_t&) override { return other(); }
  bool binary(binary_t&) override { return other(); }

  bool string(string_t& value) override {
    if (!wanted_ || depth_ != 2) return other();
    if (has_nul(value)) fail("contains a NUL character");
    texts_.push_back(value);
    return true;
  }

  bool start_object(std::size_t) override {
    if (depth_ > 0) other();
    return open();
  }
  bool start_array(std::size_t) override {
    if (depth_ == 0) other();
    if (wanted_ && depth_ > 1) other();
    if (wanted_) texts_.clear();  // of members with the same name the last one counts
    return open();
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (depth_ == 1) wanted_ = name == member_;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    throw InvalidData(str("invalid ", document_, ": not JSON at byte ", position));
  }

 private:
  /// A value that is no string of the list: right outside of it, wrong as or in it.
  bool other() const {
    if (depth_ == 0) throw InvalidData(str("invalid ", document_, ": it is not an object"));
    if (wanted_) fail(depth_ == 1 ? "is not an array" : "has an element that is not a string");
    return true;
  }

  [[noreturn]] void fail(std::string_view problem) const {
    throw InvalidData(str("invalid ", document_, ": ", lade::quoted(member_), ' ', problem));
  }

  bool open() {
    if (++depth_ > k_json_depth) {
      throw InvalidData(
          str("invalid ", document_, ": JSON nested deeper than ", k_json_depth, " levels"));
    }
    return true;
  }

  bool close() {
    --depth_;
    return true;
  }

  std::string_view document_;
  std::string_view member_;
  int depth_ = 0;
  bool wanted_ = false;  // inside the member of the root object
  std::vector<std::string> texts_;
};

}  // namespace

JsonValue parse_json(std::string_view bytes, std::string_view document, RepeatedMember repeated) {
  if (bytes.size() > k_manifest_cap) {
    throw InvalidData(str("invalid ", document, ": larger than ", human_size(k_manifest_cap)));
  }
  Builder builder(document, repeated);
  nlohmann::json::sax_parse(bytes.begin(), bytes.end(), &builder);
  return builder.take();
}

std::vector<std::string> parse_text_list(std::string_view bytes, std::string_view document,
                                         std::string_view member) {
  ListReader reader(document, member);
  nlohmann::json::sax_parse(bytes.begin(), bytes.end(), &reader);
  return reader.take();
}

void JsonNode::fail(std::string_view problem) const {
  // Qualified, since <iomanip> brings a std::quoted that argument-dependent lookup would prefer.
  const std::string place = place_.empty() ? "it" : lade::quoted(place_);
  throw InvalidData(str("invalid ", document_, ": ", place, ' ', problem));
}

const JsonValue::Object& JsonNode::members() const {
  if (const auto* object = std::get_if<JsonValue::Object>(&value_->value)) return *object;
  fail("is not an object");
}

JsonNode JsonNode::member(const std::string& name, const JsonValue& value) const {
  return {value, document_, place_.empty() ? name : str(place_, '.', name)};
}

bool JsonNode::has(std::string_view name) const {
  return members().contains(name);
}

std::optional<JsonNode> JsonNode::find(std::string_view name) const {
  const auto found = members().find(name);
  if (found == members().end()) return std::nullopt;
  if (std::holds_alternative<std::nullptr_t>(found->second.value)) return std::nullopt;
  return member(found->first, found->second);
}

JsonNode JsonNode::get(std::string_view name) const {
  if (auto found = find(name)) return *std::move(found);
  fail(str("lacks ", quoted(name)));
}

const std::string& JsonNode::text() const {
  const auto* text = std::get_if<std::string>(&value_->value);
  if (text == nullptr) fail("is not a string");
  if (has_nul(*text)) fail("contains a NUL character");
  return *text;
}

std::uint64_t JsonNode::size() const {
  if (const auto* number = std::get_if<std::uint64_t>(&value_->value)) return *number;
  fail("is not an integer from 0 to 9223372036854775807");
}

std::int64_t JsonNode::integer() const {
  if (const auto* number = std::get_if<std::uint64_t>(&value_->value)) {
    return static_cast<std::int64_t>(*number);
  }
  const auto* other = std::get_if<JsonOtherNumber>(&value_->value);
  if (other != nullptr && other->kind == JsonOtherNumber::Kind::negative) {
    return static_cast<std::int64_t>(other->bits);
  }
  fail("is not an integer from -9223372036854775808 to 9223372036854775807");
}

std::uint64_t JsonNode::natural() const {
  if (const auto* number = std::get_if<std::uint64_t>(&value_->value)) return *number;
  const auto* other = std::get_if<JsonOtherNumber>(&value_->value);
  if (other != nullptr && other->kind == JsonOtherNumber::Kind::large) return other->bits;
  fail("is not an integer from 0 to 18446744073709551615");
}

bool JsonNode::flag() const {
  if (const auto* flag = std::get_if<bool>(&value_->value)) return *flag;
  fail("is not true or false");
}

std::vector<JsonNode> JsonNode::items() const {
  const auto* array = std::get_if<JsonValue::Array>(&value_->value);
  if (array == nullptr) fail("is not an array");
  std::vector<JsonNode> nodes;
  nodes.reserve(array->size());
  for (const JsonValue& value : *array) {
    nodes.push_back({value, document_, str(place_, '[', nodes.size(), ']')});
  }
  return nodes;
}

std::vector<std::string> JsonNode::texts() const {
  const auto* array = std::get_if<JsonValue::Array>(&value_->value);
  if (array == nullptr) fail("is not an array");
  std::vector<std::string> texts;
  texts.reserve(array->size());
  for (const JsonValue& value : *array) {
    const auto* text = std::get_if<std::string>(&value.value);
    // The places of hundreds of strings are made only when one is wrong.
    if (text == nullptr || has_nul(*text)) items()[texts.size()].text();
    texts.push_back(*text);
  }
  return texts;
}

std::vector<std::string> JsonNode::names() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : members()) {
    if (has_nul(name)) fail("has a member whose name contains a NUL character");
    names.push_back(name);
  }
  return names;
}

std::map<std::string, std::string> JsonNode::text_map() const {
  std::map<std::string, std::string> texts;
  for (const std::string& name : names()) texts.emplace(name, find_text(name));
  return texts;
}

void JsonNode::allow_only(std::initializer_list<std::string_view> names) const {
  for (const auto& [name, value] : members()) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    fail(str("has the unknown member ", lade::quoted(name)));
  }
}

std::string JsonNode::find_text(std::string_view name) const {
  const auto found = find(name);
  return found ? found->text() : std::string();
}

}  // namespace lade
