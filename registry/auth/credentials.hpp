// Credentials for registries, from `--creds` and from the files that `podman login` and `docker
// login` write (auth.json, config.json), with the helpers that these name. Only reads; nothing here
// ever appears in a message but names.
#pragma once

#include "registry/auth/credential_helper.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// A user name and password for one registry, or an identity token, and where they came from.
struct Credentials {
  std::string username;
  std::string password;
  std::string origin;  ///< for messages: `--creds`, the path of the auth file, or the helper
  std::string identity_token{};  ///< to be exchanged for tokens (OAuth2's refresh token); or empty

  /// Whether there is a user name and password to be sent.
  bool has_password() const {
    return !username.empty() && (identity_token.empty() || !password.empty());
  }
};

/// The auth files to look into, in this order; the first that has an entry wins. Files that do not
/// exist are skipped.
struct AuthFiles {
  std::vector<std::string> paths;
  HelperPrograms helpers;
};

/// What the auth files say about a repository.
struct CredentialLookup {
  std::optional<Credentials> credentials;
  /// Why an entry that exists cannot be used (a credential helper that fails); empty if there is
  /// none. It matters only if the registry does not let anonymous clients in.
  std::string refusal;
};

/// Looks up the credentials for `repository` (`library/alpine`, may be empty) at the registry
/// `domain` (`docker.io`, `localhost:5000`). Keys are tried from the most specific namespace to the
/// bare registry; a file's `credHelpers` come before its `auths`, and `credsStore` after them.
/// Throws InvalidData naming the file, never its content, when one is malformed; Cancelled.
CredentialLookup find_credentials(const AuthFiles& files, std::string_view domain,
                                  std::string_view repository, const std::stop_token& stop = {});

/// What one auth file of this content says; `path` is for messages (and for `.dockercfg`, which is
/// the map of entries itself).
CredentialLookup find_credentials_in(std::string_view text, const std::string& path,
                                     const HelperPrograms& helpers, std::string_view domain,
                                     std::string_view repository, const std::stop_token& stop = {});

/// The registry that a key of an auth file means: `https://index.docker.io/v1/` is `docker.io`. The
/// path of a key without a scheme is a namespace and stays.
std::string registry_of_key(std::string_view key);

/// The names under which a registry may be kept: its own, and for Docker Hub also the others that
/// it had, the one that docker uses first.
std::vector<std::string> server_names(std::string_view domain);

/// `USER[:PASSWORD]` as given to `--creds`. Throws UsageError, without the text.
Credentials parse_credentials(std::string_view text, std::string origin);

}  // namespace lade::registry
