// Values as texts: Go's encoding/json, and what fmt prints for `%v` and the other verbs.
#pragma once

#include "base/template/value.hpp"

#include <span>
#include <string>
#include <string_view>

namespace lade::go {

enum class Html { plain, escaped };

struct JsonStyle {
  std::size_t indent = 0;     ///< spaces a level; 0: all in one line
  Html html = Html::escaped;  ///< whether `<`, `>` and `&` are written as `\u003c` …
};

/// As encoding/json writes it, without a line end.
std::string json_text(const Value& value, const JsonStyle& style = {});

/// A JSON string, quotes included, as encoding/json writes it.
std::string json_string(std::string_view text, Html html = Html::escaped);

/// fmt's `%v`.
std::string display(const Value& value);

/// fmt.Sprint: blanks between operands of which neither is a text.
std::string sprint(std::span<const Value> values);

/// fmt.Sprintln without the line end: blanks between all operands.
std::string sprint_spaced(std::span<const Value> values);

/// fmt.Sprintf for the common verbs (v s q d x X o b c t f e g T %), flags, widths and precisions;
/// what does not fit is shown as Go shows it: `%!d(string=hi)`. Widths are cut at 10,000.
std::string sprintf(std::string_view format, std::span<const Value> values);

/// strconv.Quote.
std::string quote(std::string_view text);

}  // namespace lade::go
