// Go's text/template, as much of it as `--format` options need: fields, map keys, pipelines,
// variables, if, range, with, comments, trim markers and the functions of functions.cpp. Not there:
// define, template, block, call.
#pragma once

#include "base/template/value.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lade::go {

struct Node;

/// What one execution may cost at most: templates come from scripts, but data from images.
struct Limits {
  std::size_t output = std::size_t{64} << 20;  ///< bytes
  std::size_t steps = 10'000'000;              ///< nodes and commands
};

/// A parsed template.
class Template {
 public:
  /// Parses `text`; `name` is the template's in messages. Throws UsageError in Go's words.
  static Template parse(std::string name, std::string text);
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;
  ~Template();

  /// The text that it makes of `data`. Throws Error in Go's words; also at a limit.
  std::string execute(const Value& data, const Limits& limits = {}) const;

 private:
  Template(std::string name, std::string text, std::vector<Node> nodes);

  std::string name_;
  std::string text_;
  std::vector<Node> nodes_;
};

}  // namespace lade::go
