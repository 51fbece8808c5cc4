#include "base/regex.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <re2/re2.h>

namespace lade {

namespace {

constexpr std::size_t k_longest_expression = 64 * 1024;
constexpr std::int64_t k_memory = 8 * 1024 * 1024;  // bytes, of one expression's automata

re2::RE2::Options quiet_options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(k_memory);
  return options;
}

}  // namespace

struct Regex::Compiled {
  explicit Compiled(std::string_view text)
      : expression(text), re({text.data(), text.size()}, quiet_options()) {}

  std::string expression;
  re2::RE2 re;
};

Regex Regex::compile(std::string_view expression) {
  if (expression.size() > k_longest_expression) {
    throw UsageError(
        str("regular expression of ", human_size(expression.size()), ": it is too long"));
  }
  auto compiled = std::make_shared<const Compiled>(expression);
  if (!compiled->re.ok()) {
    throw UsageError(
        str("regular expression ", quoted(expression), ": ", printable(compiled->re.error())));
  }
  return Regex(std::move(compiled));
}

bool Regex::matches(std::string_view text) const {
  return re2::RE2::PartialMatch({text.data(), text.size()}, compiled_->re);
}

const std::string& Regex::expression() const {
  return compiled_->expression;
}

}  // namespace lade
