#include "base/text.hpp"
#include "registry/auth/challenge.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/targets.hpp"

#include <string>

namespace lade::fuzz {

namespace {

using registry::Challenge;

/// The challenge in its plainest form.
std::string render(const Challenge& challenge) {
  if (!challenge.token68.empty()) return str(challenge.scheme, ' ', challenge.token68);
  std::string text = challenge.scheme;
  char separator = ' ';
  for (const auto& [name, value] : challenge.parameters) {
    text += str(separator, name, "=\"");
    for (const char c : value) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
    separator = ',';
  }
  return text;
}

bool same(const Challenge& a, const Challenge& b) {
  return a.scheme == b.scheme && a.token68 == b.token68 && a.parameters == b.parameters;
}

}  // namespace

void fuzz_challenge(std::string_view input) {
  std::size_t length = 0;
  for (const Challenge& challenge : registry::parse_challenges(input)) {
    check(!challenge.scheme.empty(), "a challenge has a scheme");
    check(challenge.scheme == ascii_lower(challenge.scheme), "schemes are lower case");
    check(challenge.token68.empty() || challenge.parameters.empty(), "it has one or the other");
    length += challenge.scheme.size() + challenge.token68.size();
    for (const auto& [name, value] : challenge.parameters) {
      check(!name.empty() && name == ascii_lower(name), "names are lower case");
      length += name.size() + value.size();
    }
    const auto again = registry::parse_challenges(render(challenge));
    check(again.size() == 1 && same(again[0], challenge), "what is understood can be written anew");
  }
  check(length <= input.size(), "nothing is made up");
}

}  // namespace lade::fuzz
