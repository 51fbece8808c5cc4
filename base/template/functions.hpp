// The functions that templates may call: those of text/template, and those that podman's and
// skopeo's `--format` add.
#pragma once

#include "base/template/value.hpp"

#include <span>
#include <string_view>

namespace lade::go {

/// What a function expects of an argument.
enum class Parameter { any, text, texts, integer };

/// Go's name of the type.
std::string_view type_name(Parameter parameter);

/// A function of templates. It throws Error whose message is the cause alone.
struct Function {
  std::string_view name;
  std::vector<Parameter> parameters;  ///< the last one repeats if it is variadic
  bool is_variadic = false;
  Value (*call)(std::span<const Value> arguments) = nullptr;
};

/// The function of that name, or nullptr.
const Function* find_function(std::string_view name);

}  // namespace lade::go
