#include "base/error.hpp"
#include "oci/platform.hpp"
#include "oci/reference.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/targets.hpp"

#include <algorithm>

namespace lade::fuzz {

namespace {

/// Nothing that is written to a terminal or becomes a path or a URL may contain these.
bool is_harmless(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

void check_reference(const Reference& reference) {
  const std::string text = reference.text();
  check(is_harmless(text), "references are harmless");
  check(reference.repository().find("..") == std::string::npos, "repositories climb nowhere");
  check(text.find(' ') == std::string::npos && text.find('\\') == std::string::npos,
        "references have no blanks");
  check(reference.repository().size() <= 255, "repository names are short");
  check(Reference::parse(text) == reference, "a normalised reference stays what it is");
  check(!reference.tag() || is_valid_tag(*reference.tag()), "a tag is valid");
  const Reference tagged = reference.with_tag("t");
  check(Reference::parse(tagged.text()) == tagged, "a tag can be exchanged");
  check(reference.with_default_tag().tag() || reference.digest(), "there is always a version");
}

}  // namespace

void fuzz_reference(std::string_view input) {
  try {
    check_reference(Reference::parse(input));
  } catch (const UsageError& error) {
    check(is_harmless(error.what()), "messages are harmless");
  }
  try {
    const Platform platform = parse_platform(input);
    check(parse_platform(to_string(platform)) == platform, "a platform stays what it is");
  } catch (const UsageError& error) {
    check(is_harmless(error.what()), "messages are harmless");
  }
}

}  // namespace lade::fuzz
