#include "cli/environment.hpp"

#include "base/text.hpp"

#include <unistd.h>

#include <cstdlib>

namespace lade::cli {

namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::string default_root(bool is_root, const std::string& home) {
  if (const auto root = variable("LADE_ROOT")) return *root;
  if (is_root) return "/var/lib/lade";
  return str(variable("XDG_DATA_HOME").value_or(home + "/.local/share"), "/lade");
}

/// Of files that only save work.
std::string cache_directory(bool is_root, const std::string& home) {
  if (const auto cache = variable("XDG_CACHE_HOME")) return *cache;
  return is_root ? "/var/cache" : home + "/.cache";
}

/// facts: explicit file only; else the runtime directory's, the user's, Docker's.
std::vector<std::string> auth_files(const std::string& home) {
  if (const auto only = variable("REGISTRY_AUTH_FILE")) return {*only};
  std::vector<std::string> files;
  const std::string runtime = variable("XDG_RUNTIME_DIR").value_or("");
  files.push_back(runtime.empty() ? str("/run/containers/", ::getuid(), "/auth.json")
                                  : runtime + "/containers/auth.json");
  files.push_back(variable("XDG_CONFIG_HOME").value_or(home + "/.config") +
                  "/containers/auth.json");
  files.push_back(variable("DOCKER_CONFIG").value_or(home + "/.docker") + "/config.json");
  files.push_back(home + "/.dockercfg");
  return files;
}

registry::RegistriesFiles registries_files(bool is_root, const std::string& home) {
  const std::string user = home + "/.config/containers/";
  const std::string system = "/etc/containers/";
  const std::string cache = variable("XDG_CACHE_HOME").value_or(home + "/.cache") + "/containers/";
  auto explicit_file = variable("CONTAINERS_REGISTRIES_CONF");
  if (!explicit_file) explicit_file = variable("REGISTRIES_CONFIG_PATH");
  return {.explicit_file = explicit_file,
          .user_file = user + "registries.conf",
          .user_drop_ins = user + "registries.conf.d",
          .system_file = system + "registries.conf",
          .system_drop_ins = system + "registries.conf.d",
          .alias_cache = (is_root ? "/var/cache/containers/" : cache) + "short-name-aliases.conf"};
}

registry::RegistriesDDirectories registries_d(bool is_root, const std::string& home) {
  const std::string data = is_root ? "/var/lib" : home + "/.local/share";
  return {.explicit_directory = {},
          .user_directory = home + "/.config/containers/registries.d",
          .system_directory = "/etc/containers/registries.d",
          .default_lookaside = data + "/containers/sigstore"};
}

}  // namespace

Environment read_environment() {
  const std::string home = variable("HOME").value_or("/");
  Environment environment;
  environment.home = home;
  environment.store_root = default_root(::geteuid() == 0, home);
  environment.auth_files = auth_files(home);
  environment.registries = registries_files(::geteuid() == 0, home);
  environment.policy = {.explicit_file = {},
                        .user_file = home + "/.config/containers/policy.json",
                        .system_file = "/etc/containers/policy.json"};
  environment.registries_d = registries_d(::geteuid() == 0, home);
  environment.sync_memory = cache_directory(::geteuid() == 0, home) + "/lade/sync";
  environment.certificate_roots = {home + "/.config/containers/certs.d", "/etc/containers/certs.d",
                                   "/etc/docker/certs.d"};
  environment.search_path = variable("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
  environment.temporary_directory = variable("TMPDIR").value_or("/var/tmp");
  environment.source_date_epoch = variable("SOURCE_DATE_EPOCH");
  for (char** entry = environ; *entry != nullptr; ++entry) {
    environment.variables.emplace_back(*entry);
  }
  return environment;
}

std::optional<std::int64_t> source_date_epoch(const Environment& environment) {
  const auto& epoch = environment.source_date_epoch;
  if (!epoch) return std::nullopt;
  const auto seconds = parse_number<std::int64_t>(*epoch);
  if (!seconds || *seconds < 0) {
    throw UsageError(str("SOURCE_DATE_EPOCH ", quoted(*epoch), ": expected seconds since 1970"));
  }
  return seconds;
}

}  // namespace lade::cli
