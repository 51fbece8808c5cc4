// Shared by the codecs of the runtime configuration's parts; runtime_spec_json.hpp is for everybody
// else.
#pragma once

#include "base/text.hpp"
#include "oci/json.hpp"
#include "oci/runtime_spec.hpp"

#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade {

/// `node` as a number of this type. Throws InvalidData, naming the range.
template <std::integral Number>
Number number_in(const JsonNode& node) {
  if constexpr (sizeof(Number) == 8) {
    if constexpr (std::signed_integral<Number>) {
      return node.integer();
    } else {
      return node.natural();
    }
  } else {
    constexpr std::int64_t k_least = std::numeric_limits<Number>::min();
    constexpr std::int64_t k_most = std::numeric_limits<Number>::max();
    const std::int64_t value = node.integer();
    if (value < k_least || value > k_most) {
      node.fail(str("is not an integer from ", k_least, " to ", k_most));
    }
    return static_cast<Number>(value);
  }
}

/// The number that a member is; nothing if it is absent.
template <std::integral Number>
std::optional<Number> find_number(const JsonNode& object, std::string_view name) {
  const auto node = object.find(name);
  if (!node) return std::nullopt;
  return number_in<Number>(*node);
}

/// The number that a member must be.
template <std::integral Number>
Number get_number(const JsonNode& object, std::string_view name) {
  return number_in<Number>(object.get(name));
}

/// A flag; nothing if it is absent.
std::optional<bool> find_flag(const JsonNode& object, std::string_view name);

/// The strings of an array; none if it is absent.
std::vector<std::string> find_texts(const JsonNode& object, std::string_view name);

/// The elements of an array; none if it is absent.
std::vector<JsonNode> find_items(const JsonNode& object, std::string_view name);

/// A string that must be there and not empty.
std::string get_text(const JsonNode& object, std::string_view name);

/// Throws unless the text is one of these.
void expect_one_of(const JsonNode& node, const std::vector<std::string_view>& words);

/// A list of cpus or memory nodes, `0-3,7`; empty if it is absent.
std::string find_list(const JsonNode& object, std::string_view name);

/// The parts.
SpecProcess read_runtime_process(const JsonNode& node);
SpecResources read_runtime_resources(const JsonNode& node);
SpecSeccomp read_runtime_seccomp(const JsonNode& node);
SpecHooks read_runtime_hooks(const JsonNode& node);
std::vector<SpecIdMapping> read_runtime_mappings(const JsonNode& object, std::string_view name);
void read_runtime_linux(const JsonNode& node, Spec& spec);

}  // namespace lade
