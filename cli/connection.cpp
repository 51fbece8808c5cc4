#include "cli/connection.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <array>

namespace lade::cli {

namespace {

constexpr std::string_view k_docker = "docker://";
constexpr std::array<std::string_view, 6> k_other_transports{
    "oci:", "oci-archive:", "docker-archive:", "dir:", "docker-daemon:", "containers-storage:"};

}  // namespace

registry::ConnectionOptions connection_options(const App& app, const RegistryFlags& flags) {
  registry::ConnectionOptions options;
  options.tls_verify = flags.tls_verify ? registry::TlsVerify::yes : registry::TlsVerify::no;
  options.cert_dir = flags.cert_dir;
  options.cert_roots = app.environment.certificate_roots;
  if (flags.credentials) {
    options.credentials = registry::parse_credentials(*flags.credentials, "--creds");
  }
  options.auth_files.paths = app.environment.auth_files;
  if (flags.auth_file) options.auth_files.paths = {*flags.auth_file};
  options.user_agent = "lade/" LADE_VERSION;
  return options;
}

bool has_transport(std::string_view text) {
  if (text.starts_with(k_docker)) return true;
  for (const std::string_view transport : k_other_transports) {
    if (text.starts_with(transport)) return true;
  }
  return false;
}

Reference registry_reference(std::string_view text) {
  for (const std::string_view transport : k_other_transports) {
    if (text.starts_with(transport)) {
      throw UsageError(str("transport ", quoted(transport), " is not supported here yet"));
    }
  }
  if (text.starts_with(k_docker)) text.remove_prefix(k_docker.size());
  return Reference::parse(text);
}

ManifestKey manifest_key(const Reference& reference) {
  if (reference.digest()) return *reference.digest();
  return reference.tag().value_or("latest");
}

Platform chosen_platform(const std::optional<std::string>& option) {
  return option ? parse_platform(*option) : host_platform();
}

}  // namespace lade::cli
