#include "base/template/methods.hpp"

#include <array>
#include <utility>

namespace lade::go {

namespace {

using Arguments = std::span<const Value>;
using Named = std::pair<std::string_view, Method>;

const Time& time_of(const Value& value) {
  return *value.get<Time>();
}

/// A number that one directive of a layout prints.
template <char... Layout>
Value number_of(const Value& value, Arguments /*arguments*/) {
  constexpr std::array layout{Layout...};
  const std::string text = format_time(time_of(value), {layout.data(), layout.size()});
  return Value::integer(std::stoi(text));
}

Value display_of(const Value& value, Arguments /*arguments*/) {
  if (const auto* text = value.get<std::string>()) return Value::text(*text);
  return Value::text(display_time(time_of(value)));
}

constexpr std::array k_time_methods{
    Named{"Format",
          {1,
           [](const Value& v, Arguments a) {
             return Value::text(format_time(time_of(v), *a[0].get<std::string>()));
           }}},
    Named{"Unix",
          {0, [](const Value& v,
                 Arguments) { return Value::integer(time_of(v).instant.seconds, "int64"); }}},
    Named{"UTC",
          {0,
           [](const Value& v, Arguments) {
             return Value({Time{time_of(v).instant, 0}}, "time.Time");
           }}},
    Named{"String", {0, display_of}},
    Named{"Year", {0, number_of<'2', '0', '0', '6'>}},
    Named{"Day", {0, number_of<'2'>}},
    Named{"Hour", {0, number_of<'1', '5'>}},
    Named{"Minute", {0, number_of<'4'>}},
    Named{"Second", {0, number_of<'5'>}},
};

/// The parts of `sha256:HEX`.
Value part_of_digest(const Value& value, bool is_second) {
  const std::string& text = *value.get<std::string>();
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return Value::text("");
  return is_second ? Value::text(text.substr(colon + 1))
                   : Value::text(text.substr(0, colon), "digest.Algorithm");
}

Value hex_of(const Value& value, Arguments /*arguments*/) {
  return part_of_digest(value, true);
}

constexpr std::array k_digest_methods{
    Named{"Encoded", {0, hex_of}},
    Named{"Hex", {0, hex_of}},
    Named{"Algorithm", {0, [](const Value& v, Arguments) { return part_of_digest(v, false); }}},
    Named{"String", {0, display_of}},
};

template <class Methods>
const Method* find_in(const Methods& methods, std::string_view name) {
  for (const auto& [known, method] : methods) {
    if (known == name) return &method;
  }
  return nullptr;
}

}  // namespace

const Method* find_method(const Value& receiver, std::string_view name) {
  if (receiver.get<Time>() != nullptr) return find_in(k_time_methods, name);
  if (receiver.type() == "digest.Digest") return find_in(k_digest_methods, name);
  return nullptr;
}

}  // namespace lade::go
