// Inside base/template: the methods of Go's types that templates call.
#pragma once

#include "base/template/value.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace lade::go {

/// A method of a value: those of times (Format, Unix, Year …) and digests (Encoded, Algorithm …).
struct Method {
  std::size_t parameters = 0;  ///< all texts
  Value (*call)(const Value& receiver, std::span<const Value> arguments) = nullptr;
};

/// The method of that name, or nullptr.
const Method* find_method(const Value& receiver, std::string_view name);

}  // namespace lade::go
