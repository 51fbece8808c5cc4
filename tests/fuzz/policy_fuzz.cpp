#include "base/error.hpp"
#include "registry/signing/policy.hpp"
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

bool has_keys(const Requirement& requirement) {
  const auto given = [](const TrustedKeys& keys) {
    return !keys.paths.empty() || !keys.data.empty();
  };
  if (const auto* by = std::get_if<SignedBy>(&requirement)) return given(by->keys);
  if (const auto* by = std::get_if<SigstoreSigned>(&requirement)) return given(by->keys);
  return true;
}

const SignedIdentity* identity_of(const Requirement& requirement) {
  if (const auto* by = std::get_if<SignedBy>(&requirement)) return &by->identity;
  if (const auto* by = std::get_if<SigstoreSigned>(&requirement)) return &by->identity;
  return nullptr;
}

void ask(const Policy& policy, const ImageScope& image) {
  const Requirements& requirements = find_requirements(policy, image);
  check(!requirements.empty(), "something is required of every image");
  for (const Requirement& requirement : requirements) {
    check(has_keys(requirement), "a requirement of a signature has a key");
    const SignedIdentity* identity = identity_of(requirement);
    if (identity == nullptr) continue;
    check(!matches(*identity, image.reference, "NO REFERENCE"), "no reference matches nothing");
    matches(*identity, image.reference, "example.com/n/x:1");
  }
}

}  // namespace

void fuzz_policy(std::string_view input) {
  Policy policy;
  try {
    policy = parse_policy(input, "policy");
  } catch (const InvalidData& error) {
    check(is_one_line(error.what()), "messages are one line");
    return;
  }
  for (const char* name : {"busybox", "example.com/n/x:1", "a.b.example.com:5000/x"}) {
    ask(policy, docker_scope(Reference::parse(name)));
  }
  ask(policy, path_scope("dir", "/a/b"));
  for (const auto& [transport, scopes] : policy.transports) {
    for (const auto& [scope, requirements] : scopes) {
      ask(policy, {.name = "x", .transport = transport, .scopes = {scope}, .reference = {}});
    }
  }
}

}  // namespace lade::fuzz
