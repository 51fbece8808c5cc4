#include "base/template/template.hpp"

#include "base/template/evaluator.hpp"
#include "base/template/syntax.hpp"

namespace lade::go {

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
