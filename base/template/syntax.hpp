// The tree of a parsed template.
#pragma once

#include "base/template/value.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lade::go {

struct Pipeline;

/// Where a node stands in the template, and its text, for messages.
struct Place {
  std::size_t position = 0;
  std::string text;
};

/// One word of a command.
struct Operand {
  enum class Kind { constant, nil, dot, field, variable, function, pipeline };
  Kind kind = Kind::dot;
  Place place;
  Value constant;                      ///< Kind::constant
  std::string name;                    ///< of a variable (`$x`) or function
  std::vector<std::string> fields;     ///< `.A.B` after it
  std::unique_ptr<Pipeline> pipeline;  ///< in parentheses
};

/// Words of which the first may be a function, the others its arguments.
struct Command {
  Place place;
  std::vector<Operand> operands;
};

/// `$x := command | command`.
struct Pipeline {
  enum class Binding { none, declare, assign };
  Place place;
  std::vector<std::string> variables;
  Binding binding = Binding::none;
  std::vector<Command> commands;
};

/// A piece of a template.
struct Node {
  enum class Kind { text, action, if_, range, with, break_, continue_ };
  Kind kind = Kind::text;
  std::string text;
  Pipeline pipeline;
  std::vector<Node> body;
  std::vector<Node> otherwise;
};

/// Parses a template. Throws UsageError in Go's words, `template: NAME:LINE: …`.
std::vector<Node> parse_template(std::string_view name, std::string_view text);

/// Whether there is a function of that name.
bool is_function(std::string_view name);

}  // namespace lade::go
