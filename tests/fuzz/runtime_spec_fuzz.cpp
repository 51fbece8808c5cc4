#include "base/error.hpp"
#include "oci/runtime_spec_json.hpp"
#include "runner/plan.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/targets.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace lade::fuzz {

namespace {

/// What `body` makes of the input; nothing if it refuses, which it does in one short line.
template <class Refusal, class Body>
auto attempt(Body&& body) -> std::optional<decltype(body())> {
  try {
    return body();
  } catch (const Refusal& error) {
    const std::string_view line = error.what();
    check(line.find('\n') == std::string_view::npos, "messages are one line");
    check(line.size() < 5'000'000, "messages are not endless");
    return std::nullopt;
  }
}

void check_spec(const Spec& spec) {
  check(!spec.root_path.empty(), "there is a root");
  for (const std::string& path : spec.masked_paths) {
    check(path.starts_with('/'), "masked paths are absolute");
  }
  for (const auto& [name, value] : spec.sysctl) {
    check(name.find("..") == std::string::npos, "sysctls stay below /proc/sys");
  }
  for (const auto& [name, value] : spec.resources.unified) {
    check(name.find('/') == std::string::npos, "cgroup files stay in their directory");
  }
  for (const SpecHook& hook : spec.hooks.create_runtime) {
    check(hook.path.starts_with('/'), "hooks are absolute");
  }
  for (std::size_t i = 0; i < spec.namespaces.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      check(spec.namespaces[i].kind != spec.namespaces[j].kind, "no namespace comes twice");
    }
  }
}

}  // namespace

void fuzz_runtime_spec(std::string_view input) {
  attempt<InvalidData>([&] { return parse_runtime_process(input); });
  attempt<InvalidData>([&] { return parse_runtime_resources(input); });
  const auto spec = attempt<InvalidData>([&] { return parse_runtime_spec(input); });
  if (!spec) return;
  check_spec(*spec);
  const auto plan = attempt<UsageError>([&] {
    return runner::make_plan(*spec, runner::RootDirectory{spec->root_path}, {.bundle = "/b"});
  });
  if (!plan) return;
  const std::string text = runner::dump(*plan);
  check(std::none_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; }),
        "a dump can be shown");
}

}  // namespace lade::fuzz
