// Values as Go's text/template and encoding/json see them: a tree that remembers the names of Go's
// types, the names of members in JSON, and the difference between an empty list and none. People's
// templates were written for programs whose data have those types, and their output shows it.
#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lade::go {

/// A time with its zone. Offsets are seconds east of UTC.
struct Time {
  Timestamp instant;
  int offset = 0;
};

struct List;
struct Map;
struct Record;

/// One value. Cheap to copy: lists, maps and records are shared and never change. Types are named
/// by texts with static storage.
class Value {
 public:
  /// What a missing key of a map gives: neither a value nor nil. Printed as `<no value>`.
  struct None {};
  /// A nil pointer or interface.
  struct Nil {};
  using Data = std::variant<None, Nil, bool, std::int64_t, double, std::string, Time,
                            std::shared_ptr<const List>, std::shared_ptr<const Map>,
                            std::shared_ptr<const Record>>;

  Value() = default;
  Value(Data data, std::string_view type) : data_(std::move(data)), type_(type) {}

  static Value text(std::string text, std::string_view type = "string");
  static Value integer(std::int64_t number, std::string_view type = "int");
  static Value real(double number) { return {number, "float64"}; }
  static Value boolean(bool flag) { return {flag, "bool"}; }
  static Value nil(std::string_view type) { return {Nil{}, type}; }
  /// A `*time.Time`.
  static Value time(const Time& time) { return {time, "*time.Time"}; }
  /// A list of texts, `[]string`.
  static Value texts(const std::vector<std::string>& texts);
  /// A map of texts, `map[string]string`.
  static Value text_map(const std::map<std::string, std::string>& texts);
  static Value list(List list, std::string_view type);
  static Value map(Map map, std::string_view type);
  static Value record(Record record, std::string_view type);

  const Data& data() const noexcept { return data_; }
  /// Go's name of the type; empty for None.
  std::string_view type() const noexcept { return type_; }

  bool is_none() const noexcept { return std::holds_alternative<None>(data_); }
  bool is_nil() const noexcept { return std::holds_alternative<Nil>(data_); }
  /// The alternative if it is held, else nullptr.
  template <class T>
  const T* get() const noexcept {
    return std::get_if<T>(&data_);
  }
  const List* as_list() const noexcept;
  const Map* as_map() const noexcept;
  const Record* as_record() const noexcept;

 private:
  Data data_;
  std::string_view type_;
};

/// A slice.
struct List {
  std::vector<Value> items;
  bool is_nil = false;  ///< printed as `null` in JSON; no items
};

/// A map with text keys.
struct Map {
  std::map<std::string, Value, std::less<>> items;
  bool is_nil = false;
  Value zero = {};  ///< what `index` gives for a missing key
};

/// Whether JSON leaves a member out: never, when it is empty, when it is a struct of which all
/// members are empty.
enum class OmitEmpty { no, yes, zero };
enum class Embedded { no, yes };

/// A member of a struct.
struct Field {
  std::string_view name;  ///< in templates; static storage
  std::string_view json;  ///< in JSON; static storage
  Value value;
  OmitEmpty omit = OmitEmpty::no;    ///< left out of JSON when empty
  Embedded embedded = Embedded::no;  ///< its members count as the outer struct's too
};

/// A struct.
struct Record {
  std::vector<Field> fields;
  /// The member of that name, an embedded struct's too; nullptr if there is none.
  const Value* find(std::string_view name) const;
};

/// Go's notion of truth for `if`: not false, zero, nil or empty.
bool is_true(const Value& value);

/// Whether encoding/json's `omitempty` leaves it out.
bool is_empty(const Value& value);

/// RFC 3339 with the offset kept; nothing if it is none.
std::optional<Time> parse_time(std::string_view text);

/// As encoding/json prints a time: RFC 3339, no zeros at the end of the fraction.
std::string json_time(const Time& time);

/// time.Time.String(): `2022-11-16 07:26:42.618 +0000 UTC`.
std::string display_time(const Time& time);

/// time.Time.Format() with Go's layouts (`2006-01-02 15:04`).
std::string format_time(const Time& time, std::string_view layout);

}  // namespace lade::go
