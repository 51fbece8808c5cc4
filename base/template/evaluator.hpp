// Inside base/template: runs a parsed template.
#pragma once

#include "base/template/syntax.hpp"
#include "base/template/template.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lade::go {

/// What messages say of the template.
struct TemplateText {
  std::string_view name;
  std::string_view text;
};

/// What is said when something at `place` could not be executed, in Go's words, in one line.
std::string failure_text(const TemplateText& source, const Place& place, std::string_view problem);

/// Runs `nodes` over `data`; see Template::execute().
std::string evaluate(const TemplateText& source, const std::vector<Node>& nodes, const Value& data,
                     const Limits& limits);

}  // namespace lade::go
