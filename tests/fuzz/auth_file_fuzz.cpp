#include "base/error.hpp"
#include "registry/auth/auth_file.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/targets.hpp"

#include <algorithm>

namespace lade::fuzz {

namespace {

using namespace lade::registry;

// No helper is found, so none is run.
const HelperPrograms k_none;

bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

/// What a file of this text says; refusals and errors must be fit to be printed.
CredentialLookup look_up(std::string_view text, std::string_view domain) {
  try {
    CredentialLookup found = find_credentials_in(text, "auth.json", k_none, domain, "team/app");
    check(is_one_line(found.refusal), "refusals are one line");
    return found;
  } catch (const InvalidData& error) {
    check(is_one_line(error.what()), "errors are one line");
    return {};
  }
}

void check_editing(std::string_view text) {
  const std::string key = "reg.example/team/app";
  const std::string with = with_auth_entry(text, key, {"alice", "secret", ""});
  const CredentialLookup found = look_up(with, "reg.example");
  const bool known = found.credentials && found.credentials->password == "secret";
  check(known || !found.refusal.empty(), "who logs in is logged in");
  check(with_auth_entry(with, key, {"alice", "secret", ""}) == with, "twice is once");
  const AuthRemoval removal = without_auth_entry(with, key);
  check(removal.found, "who logs out was logged in");
  check(!without_auth_entry(removal.text, key).found, "who logged out is logged out");
  const std::string none = without_auth_entries(with);
  check(without_auth_entries(none) == none, "nobody is left");
}

}  // namespace

void fuzz_auth_file(std::string_view input) {
  for (const char* domain : {"reg.example", "docker.io", "localhost:5000"}) look_up(input, domain);
  try {
    check_editing(input);
  } catch (const InvalidData& error) {
    check(is_one_line(error.what()), "errors are one line");
  }
}

}  // namespace lade::fuzz
