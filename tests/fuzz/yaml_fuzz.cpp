#include "base/error.hpp"
#include "base/yaml.hpp"
#include "registry/signing/registries_d.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/targets.hpp"

#include <algorithm>
#include <string>

namespace lade::fuzz {

namespace {

bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

/// Walks all of it; how many values there were.
std::size_t walk(const YamlNode& node, std::size_t depth) {
  check(depth <= k_yaml_depth, "the depth is bounded");
  check(node.line() >= 1, "every value has a line");
  std::size_t values = 1;
  if (node.is_list()) {
    for (const YamlNode& item : node.items()) values += walk(item, depth + 1);
  } else if (node.is_map()) {
    for (const auto& [key, member] : node.members()) {
      check(member.is_null() == !node.find(key), "a member is found by its key");
      values += walk(member, depth + 1);
    }
  } else if (!node.is_null()) {
    check(node.text().find('\0') == std::string::npos, "no text has a NUL");
  }
  return values;
}

}  // namespace

void fuzz_yaml(std::string_view input) {
  try {
    const YamlNode root = parse_yaml(input, "document");
    check(walk(root, 0) <= 2 * k_yaml_values, "the number of values is bounded");
    registry::RegistriesD conf;
    registry::add_registries_yaml(conf, input, "fuzz.yaml");
    const auto image = registry::docker_scope(Reference::parse("example.com/n/x:1"));
    check(!registry::find_places(conf, image, "/default").read_url.empty(), "there is a default");
  } catch (const InvalidData& error) {
    check(is_one_line(error.what()), "messages are one line");
  }
}

}  // namespace lade::fuzz
