#include "registry/credentials.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "oci/manifest.hpp"

#include <fcntl.h>
namespace lade::registry {

namespace {

constexpr std::string_view k_what = "auth file";

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
std::optional<CredentialLookup> read_entry(const JsonNode& entry, const std::string& key,
                                           const std::string& path) {
  if (!entry.find_text("identitytoken").empty()) {
    return CredentialLookup{.refusal =
                                str("the entry ", quoted(key), " of ", quoted(path),
                                    " is an identity token, and these are not supported yet")};
  }
  const std::string encoded = entry.find_text("auth");
  if (encoded.empty()) return std::nullopt;
  const auto decoded = base64_decode(encoded);
  const auto colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) entry.fail("is not base64 of a user name and password");
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

std::optional<CredentialLookup> find_entry(const JsonNode& auths, std::string_view domain,
                                           std::string_view repository, const std::string& path) {
  for (const std::string& key : keys_for(domain, repository)) {
    const auto entry = auths.find(key);
    if (!entry) continue;
    if (auto lookup = read_entry(*entry, key, path)) return lookup;
  }
  for (const std::string& key : auths.names()) {
    const auto entry = auths.find(key);
    if (!entry || registry_of_key(key) != normalised_registry(domain)) continue;
    if (auto lookup = read_entry(*entry, key, path)) return lookup;
  }
  return std::nullopt;
}

std::string helper_refusal(std::string_view helper, const std::string& path) {
  return str("the credentials are kept by the helper ", quoted(helper), " (", quoted(path),
             "), and credential helpers are not supported yet");
}

/// What one file says: an entry, a refusal, or nothing at all. `settled` is false where the next
/// files may know better.
struct FileAnswer {
  CredentialLookup lookup;
  bool settled = false;
};

FileAnswer ask_file(const JsonNode& root, std::string_view domain, std::string_view repository,
                    const std::string& path) {
  if (const auto helpers = root.find("credHelpers")) {
    const std::string helper = helpers->find_text(domain);
    if (!helper.empty()) return {{.refusal = helper_refusal(helper, path)}, true};
  }
  // Docker's oldest file, .dockercfg, is the map of entries itself.
  const auto auths = path.ends_with("/.dockercfg") ? std::optional(root) : root.find("auths");
  if (auths) {
    if (auto lookup = find_entry(*auths, domain, repository, path)) {
      return {*std::move(lookup), true};
    }
  }
  const std::string store = root.find_text("credsStore");
  if (store.empty()) return {};
  return {{.refusal = helper_refusal(store, path)}};
}

}  // namespace

CredentialLookup find_credentials(const AuthFiles& files, std::string_view domain,
                                  std::string_view repository) {
  CredentialLookup result;
  for (const std::string& path : files.paths) {
    const auto text = find_auth_file(path);
    if (!text) continue;
    const auto context = [&] { return str("read credentials from ", quoted(path)); };
    FileAnswer answer = in_context(context, [&] {
      const JsonValue document = parse_json(*text, k_what);
      return ask_file(JsonNode(document, k_what), domain, repository, path);
    });
    if (answer.settled) return std::move(answer.lookup);
    if (result.refusal.empty()) result.refusal = std::move(answer.lookup.refusal);
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
