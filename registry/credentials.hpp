// Credentials for registries, from `--creds` and from the files that `podman login` and `docker
// login` write (auth.json, config.json). Only reads; nothing here ever appears in a message but
// names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// A user name and password for one registry, and where they came from.
struct Credentials {
  std::string username;
  std::string password;
  std::string origin;  ///< for messages: `--creds`, or the path of the auth file
};

/// The auth files to look into, in this order; the first that has an entry wins. Files that do not
/// exist are skipped.
struct AuthFiles {
  std::vector<std::string> paths;
};

/// What the auth files say about a repository.
struct CredentialLookup {
  std::optional<Credentials> credentials;
  /// Why an entry that exists cannot be used (a credential helper, an identity token); empty if
  /// there is none. It matters only if the registry does not let anonymous clients in.
  std::string refusal;
};

/// Looks up the credentials for `repository` (`library/alpine`, may be empty) at the registry
/// `domain` (`docker.io`, `localhost:5000`). Keys are tried from the most specific namespace to the
/// bare registry. Throws InvalidData naming the file, never its content, when one is malformed.
CredentialLookup find_credentials(const AuthFiles& files, std::string_view domain,
                                  std::string_view repository);

/// `USER[:PASSWORD]` as given to `--creds`. Throws UsageError, without the text.
Credentials parse_credentials(std::string_view text, std::string origin);

}  // namespace lade::registry
