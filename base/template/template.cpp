#include "base/template/template.hpp"

#include "base/template/evaluator.hpp"
#include "base/template/syntax.hpp"
#include "base/template/text_form.hpp"
#include "base/template/utf8.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace lade::go {

std::string failure_text(const TemplateText& source, const Place& place, std::string_view problem) {
  constexpr std::size_t k_longest_context = 20;
  const std::string_view before = source.text.substr(0, place.position);
  const auto lines = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  const std::size_t line_start = before.rfind('\n') + 1;  // 0 where there is none
  std::string context = place.text;
  if (context.size() > k_longest_context) {
    context = str(first_characters(context, k_longest_context), "...");
  }
  return printable(str("template: ", source.name, ':', lines + 1, ':', place.position - line_start,
                       ": executing ", quote(source.name), " at <", context, ">: ", problem));
}

Template Template::parse(std::string name, std::string text) {
  std::vector<Node> nodes = parse_template(name, text);
  return {std::move(name), std::move(text), std::move(nodes)};
}

Template::Template(std::string name, std::string text, std::vector<Node> nodes)
    : name_(std::move(name)), text_(std::move(text)), nodes_(std::move(nodes)) {}
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;
Template::~Template() = default;

std::string Template::execute(const Value& data, const Limits& limits) const {
  return evaluate({name_, text_}, nodes_, data, limits);
}

}  // namespace lade::go
