#include "base/error.hpp"
#include "registry/endpoints.hpp"
#include "registry/registries_toml.hpp"
#include "registry/short_names.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/targets.hpp"

#include <algorithm>
#include <string>

namespace lade::fuzz {

namespace {

using namespace lade::registry;

bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

RegistriesConf merged(RegistriesFragment fragment) {
  RegistriesConf conf;
  for (RegistryRule& rule : fragment.rules) conf.rules.emplace(rule.prefix, rule);
  for (auto& [name, alias] : fragment.aliases) {
    if (alias) conf.aliases.emplace(name, *alias);
  }
  if (fragment.search_registries) conf.search_registries = *fragment.search_registries;
  conf.files = {"fuzz.conf"};
  return conf;
}

/// Whatever is asked of a configuration that was accepted is answered, or refused in one line.
void ask(const RegistriesConf& conf, const std::string& name) {
  for (const Reading reading : {Reading::image, Reading::tags}) {
    try {
      for (const Reference& candidate : resolve_short_name(conf, name).candidates) {
        const PullPlan plan = plan_pull(conf, candidate, reading);
        check(!plan.endpoints.empty(), "a plan has an endpoint");
        for (const PullEndpoint& endpoint : plan.endpoints) {
          const std::string text = endpoint.reference.text();
          check(Reference::parse(text) == endpoint.reference, "an endpoint is a reference");
        }
      }
    } catch (const Error& error) {
      check(is_one_line(error.what()), "messages are one line");
    }
  }
}

}  // namespace

void fuzz_registries_conf(std::string_view input) {
  RegistriesConf conf;
  try {
    conf = merged(parse_registries_toml(input, "fuzz.conf"));
  } catch (const InvalidData& error) {
    check(is_one_line(error.what()), "messages are one line");
    return;
  }
  for (const auto& [prefix, rule] : conf.rules) {
    ask(conf, prefix);
    ask(conf, prefix + "/x:1");
  }
  for (const auto& [name, alias] : conf.aliases) ask(conf, name);
  ask(conf, "alpine");
  ask(conf, "example.com/foo/x");
}

}  // namespace lade::fuzz
