#include "base/text.hpp"
#include "registry/link.hpp"
#include "registry/url.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/targets.hpp"

#include <algorithm>

namespace lade::fuzz {

void fuzz_link(std::string_view input) {
  const auto next = registry::find_next_link(split(input, '\n'));
  if (!next) return;
  check(input.find(*next) != std::string_view::npos, "a link is a piece of the fields");
  check(next->find('\n') == std::string::npos, "a link is in one field");
  const auto base = registry::Url::parse("https://registry.example/v2/a/tags/list?n=1");
  const auto url = base->resolve(*next);
  if (!url) return;
  const std::string text = url->text();
  check(registry::Url::parse(text).has_value(), "what it resolves to is a URL");
  const bool is_plain = std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte < 0x7f;
  });
  check(is_plain, "a URL to be sent has no blanks and control characters");
}

}  // namespace lade::fuzz
