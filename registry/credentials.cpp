#include "registry/credentials.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>

namespace lade::registry {

namespace {

using nlohmann::json;

constexpr std::size_t k_auth_file_cap = 4 * 1024 * 1024;

/// The parsed file, or nothing if it does not exist or is empty.
std::optional<json> load_auth_file(const std::string& path) {
  std::string text;
  try {
    text = read_file(path, k_auth_file_cap);
  } catch (const SystemError& error) {
    if (error.code() == ENOENT || error.code() == ENOTDIR) return std::nullopt;
    throw;
  }
  if (trim(text).empty()) return std::nullopt;
  json root = json::parse(text, nullptr, false);
  if (!root.is_object()) {
    throw InvalidData(str("read credentials from ", lade::quoted(path), ": not a JSON object"));
  }
  return root;
}

/// A member that is an object, or null.
const json* find_object(const json& parent, const std::string& name, const std::string& path) {
  const auto found = parent.find(name);
  if (found == parent.end() || found->is_null()) return nullptr;
  if (!found->is_object()) {
    throw InvalidData(str("read credentials from ", lade::quoted(path), ": ", lade::quoted(name),
                          " is not an object"));
  }
  return &*found;
}

std::string member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string normalised_registry(std::string_view host) {
  if (host == "index.docker.io" || host == "registry-1.docker.io") return "docker.io";
  return std::string(host);
}

/// The registry that a key means: `https://index.docker.io/v1/` is `docker.io`. The path of a key
/// without a scheme is a namespace and stays.
std::string registry_of_key(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!key.starts_with(scheme)) continue;
    key.remove_prefix(scheme.size());
    return normalised_registry(key.substr(0, key.find('/')));
  }
  return normalised_registry(key);
}

/// What one entry of `auths` says; nothing if it says nothing, as docker leaves `{}` for entries
/// that a helper keeps.
std::optional<CredentialLookup> read_entry(const json& entry, const std::string& key,
                                           const std::string& path) {
  if (!entry.is_object()) return std::nullopt;
  if (!member(entry, "identitytoken").empty()) {
    return CredentialLookup{.refusal =
                                str("the entry ", lade::quoted(key), " of ", lade::quoted(path),
                                    " is an identity token, and these are not supported yet")};
  }
  const std::string encoded = member(entry, "auth");
  if (encoded.empty()) return std::nullopt;
  const auto decoded = base64_decode(encoded);
  const auto colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) {
    throw InvalidData(str("read credentials from ", lade::quoted(path), ": the entry ",
                          lade::quoted(key), " is not base64 of a user name and password"));
  }
  std::string password = decoded->substr(colon + 1);
  while (password.ends_with('\0')) password.pop_back();
  return CredentialLookup{.credentials =
                              Credentials{decoded->substr(0, colon), std::move(password), path}};
}

/// `docker.io/library/alpine`, `docker.io/library`, `docker.io`.
std::vector<std::string> keys_for(std::string_view domain, std::string_view repository) {
  std::vector<std::string> keys;
  std::string key = repository.empty() ? std::string(domain) : str(domain, '/', repository);
  for (;;) {
    keys.push_back(key);
    if (key.size() == domain.size()) return keys;
    key.resize(key.rfind('/'));
  }
}

std::optional<CredentialLookup> find_entry(const json& auths, std::string_view domain,
                                           std::string_view repository, const std::string& path) {
  for (const std::string& key : keys_for(domain, repository)) {
    const auto found = auths.find(key);
    if (found == auths.end()) continue;
    if (auto lookup = read_entry(*found, key, path)) return lookup;
  }
  for (const auto& [key, entry] : auths.items()) {
    if (registry_of_key(key) != normalised_registry(domain)) continue;
    if (auto lookup = read_entry(entry, key, path)) return lookup;
  }
  return std::nullopt;
}

std::string helper_refusal(std::string_view helper, const std::string& path) {
  return str("the credentials are kept by the helper ", lade::quoted(helper), " (",
             lade::quoted(path), "), and credential helpers are not supported yet");
}

}  // namespace

CredentialLookup find_credentials(const AuthFiles& files, std::string_view domain,
                                  std::string_view repository) {
  CredentialLookup result;
  for (const std::string& path : files.paths) {
    const auto root = load_auth_file(path);
    if (!root) continue;
    if (const json* helpers = find_object(*root, "credHelpers", path)) {
      const std::string helper = member(*helpers, std::string(domain).c_str());
      if (!helper.empty()) return {.refusal = helper_refusal(helper, path)};
    }
    // Docker's oldest file, .dockercfg, is the map of entries itself.
    const json* auths = path.ends_with("/.dockercfg") ? &*root : find_object(*root, "auths", path);
    if (auths != nullptr) {
      if (auto lookup = find_entry(*auths, domain, repository, path)) return *std::move(lookup);
    }
    const std::string store = member(*root, "credsStore");
    if (!store.empty() && result.refusal.empty()) result.refusal = helper_refusal(store, path);
  }
  return result;
}

Credentials parse_credentials(std::string_view text, std::string origin) {
  const auto colon = text.find(':');
  if (text.empty() || colon == 0) {
    throw UsageError(str("credentials given by ", lade::quoted(origin), " have no user name"));
  }
  const bool has_password = colon != std::string_view::npos;
  return {std::string(text.substr(0, colon)),
          std::string(has_password ? text.substr(colon + 1) : ""), std::move(origin)};
}

}  // namespace lade::registry
