#include "registry/auth/credentials.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "oci/manifest.hpp"

#include <fcntl.h>

#include <algorithm>

namespace lade::registry {

namespace {

constexpr std::string_view k_what = "auth file";
constexpr std::string_view k_token_user = "<token>";  // with which helpers mark an identity token

/// The text of the file; nothing if it does not exist or is blank.
std::optional<std::string> find_auth_file(const std::string& path) {
  std::string text;
  try {
    text = read_file(path, k_manifest_cap);
  } catch (const SystemError& error) {
    if (error.code() == ENOENT || error.code() == ENOTDIR) return std::nullopt;
    throw;
  }
  if (trim(text).empty()) return std::nullopt;
  return text;
}

std::string normalised_registry(std::string_view host) {
  if (host == "index.docker.io" || host == "registry-1.docker.io") return "docker.io";
  return std::string(host);
}

/// What one entry of `auths` says; nothing if it says nothing, as docker leaves `{}` for entries
/// that a helper keeps.
std::optional<CredentialLookup> read_entry(const JsonNode& entry, const std::string& path) {
  Credentials found{"", "", path, entry.find_text("identitytoken")};
  const std::string encoded = entry.find_text("auth");
  if (!encoded.empty()) {
    const auto decoded = base64_decode(encoded);
    const auto colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos) entry.fail("is not base64 of a user name and password");
    found.username = decoded->substr(0, colon);
    found.password = decoded->substr(colon + 1);
    while (found.password.ends_with('\0')) found.password.pop_back();
  } else if (found.identity_token.empty()) {
    return std::nullopt;
  }
  return CredentialLookup{.credentials = std::move(found)};
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

std::optional<CredentialLookup> find_entry(const JsonNode& auths, std::string_view domain,
                                           std::string_view repository, const std::string& path) {
  for (const std::string& key : keys_for(domain, repository)) {
    const auto entry = auths.find(key);
    if (!entry) continue;
    if (auto lookup = read_entry(*entry, path)) return lookup;
  }
  for (const std::string& key : auths.names()) {
    const auto entry = auths.find(key);
    if (!entry || registry_of_key(key) != normalised_registry(domain)) continue;
    if (auto lookup = read_entry(*entry, path)) return lookup;
  }
  return std::nullopt;
}

/// How one file is asked.
struct Inquiry {
  const std::string& path;
  const HelperPrograms& helpers;
  std::string_view domain;
  std::string_view repository;
  const std::stop_token& stop;
};

/// What the helper `name` keeps under one of `servers`, or why it does not say.
CredentialLookup ask_helper(const Inquiry& inquiry, const std::string& name,
                            const std::vector<std::string>& servers) {
  try {
    const CredentialHelper helper(inquiry.helpers, name, inquiry.stop);
    for (const std::string& server : servers) {
      auto found = helper.find(server);
      if (!found) continue;
      Credentials credentials{found->username, std::move(found->secret), helper.program()};
      if (found->username == k_token_user) {
        credentials = {"", "", helper.program(), std::move(credentials.password)};
      }
      return {.credentials = std::move(credentials)};
    }
    return {};
  } catch (const Error& error) {
    return {.refusal = str("no credentials from ", quoted(inquiry.path), ": ", error.what())};
  }
}

/// The helper that `credHelpers` names for the registry, asked.
CredentialLookup ask_own_helper(const JsonNode& root, const Inquiry& inquiry) {
  const auto helpers = root.find("credHelpers");
  if (!helpers) return {};
  for (const std::string& key : server_names(inquiry.domain)) {
    const std::string name = helpers->find_text(key);
    if (name.empty()) continue;
    // The name that the configuration uses, then the registry's others.
    std::vector<std::string> servers = server_names(inquiry.domain);
    std::stable_partition(servers.begin(), servers.end(),
                          [&](const std::string& server) { return server == key; });
    return ask_helper(inquiry, name, servers);
  }
  return {};
}

CredentialLookup ask_file(const JsonNode& root, const Inquiry& inquiry) {
  CredentialLookup own = ask_own_helper(root, inquiry);
  if (own.credentials || !own.refusal.empty()) return own;
  // Docker's oldest file, .dockercfg, is the map of entries itself.
  const auto auths =
      inquiry.path.ends_with("/.dockercfg") ? std::optional(root) : root.find("auths");
  if (auths) {
    auto lookup = find_entry(*auths, inquiry.domain, inquiry.repository, inquiry.path);
    if (lookup) return *std::move(lookup);
  }
  const std::string store = root.find_text("credsStore");
  return store.empty() ? CredentialLookup()
                       : ask_helper(inquiry, store, server_names(inquiry.domain));
}

}  // namespace

std::string registry_of_key(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!key.starts_with(scheme)) continue;
    key.remove_prefix(scheme.size());
    return normalised_registry(key.substr(0, key.find('/')));
  }
  return normalised_registry(key);
}

std::vector<std::string> server_names(std::string_view domain) {
  if (normalised_registry(domain) != "docker.io") return {std::string(domain)};
  return {"https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"};
}

CredentialLookup find_credentials_in(std::string_view text, const std::string& path,
                                     const HelperPrograms& helpers, std::string_view domain,
                                     std::string_view repository, const std::stop_token& stop) {
  if (trim(text).empty()) return {};
  const JsonValue document = parse_json(text, k_what);
  return ask_file(JsonNode(document, k_what), {path, helpers, domain, repository, stop});
}

CredentialLookup find_credentials(const AuthFiles& files, std::string_view domain,
                                  std::string_view repository, const std::stop_token& stop) {
  CredentialLookup result;
  for (const std::string& path : files.paths) {
    const auto text = find_auth_file(path);
    if (!text) continue;
    const auto context = [&] { return str("read credentials from ", quoted(path)); };
    CredentialLookup answer = in_context(context, [&] {
      return find_credentials_in(*text, path, files.helpers, domain, repository, stop);
    });
    if (answer.credentials) return answer;
    if (result.refusal.empty()) result.refusal = std::move(answer.refusal);
  }
  return result;
}

Credentials parse_credentials(std::string_view text, std::string origin) {
  const auto colon = text.find(':');
  if (text.empty() || colon == 0) {
    throw UsageError(str("credentials given by ", quoted(origin), " have no user name"));
  }
  const bool has_password = colon != std::string_view::npos;
  return {std::string(text.substr(0, colon)),
          std::string(has_password ? text.substr(colon + 1) : ""), std::move(origin)};
}

}  // namespace lade::registry
