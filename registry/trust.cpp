#include "registry/trust.hpp"

#include "base/directory.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

#include <unistd.h>

#include <algorithm>
#include <vector>

namespace lade::registry {

namespace {

constexpr std::size_t k_bundle_cap = 16 * 1024 * 1024;

/// Whether OpenSSL can look certificates up in a directory by hash, as `openssl rehash` names them.
bool is_hashed(const std::string& path) {
  if (path.empty() || ::access(path.c_str(), R_OK | X_OK) != 0) return false;
  const std::vector<std::string> names = Directory::open(path).list();
  return std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return name.size() == 10 && name.find_first_not_of("0123456789abcdef") == 8 &&
           name.ends_with(".0");
  });
}

}  // namespace

Trust choose_trust(const SystemTrust& system, const std::string& extra_pem) {
  Trust trust;
  const bool has_bundle = !system.bundle.empty() && ::access(system.bundle.c_str(), R_OK) == 0;
  if (is_hashed(system.directory)) {
    trust.directory = system.directory;
    if (has_bundle) trust.bundle = system.bundle;
  } else if (!extra_pem.empty() && has_bundle) {
    // A bundle of our own replaces the system's, so the system's is its first part.
    trust.pem = read_file(system.bundle, k_bundle_cap) + '\n';
  }
  trust.pem += extra_pem;
  return trust;
}

Trust with_bundle(const Trust& trust) {
  Trust bundled;
  bundled.pem = str(read_file(trust.bundle, k_bundle_cap), '\n', trust.pem);
  return bundled;
}

}  // namespace lade::registry
