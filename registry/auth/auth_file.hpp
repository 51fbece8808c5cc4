// Writing auth files in place, as skopeo, podman and docker write them: `auths` is edited, all else
// in the file is kept.
#pragma once

#include "registry/auth/credentials.hpp"

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// The text of an auth file with this entry instead of the one of that key: indented by tabs as
/// skopeo writes it, `auths` (sorted) and `credHelpers` first. An empty text is an empty file.
/// Throws InvalidData.
std::string with_auth_entry(std::string_view text, const std::string& key,
                            const Credentials& credentials);

/// The result of taking entries away.
struct AuthRemoval {
  std::string text;
  bool found = false;
};

/// The text without the entries that mean `key`: the key itself and, for a bare registry, its other
/// spellings (`https://HOST/v1/`, Docker Hub's names). Throws InvalidData.
AuthRemoval without_auth_entry(std::string_view text, const std::string& key);

/// The text with no entries. Throws InvalidData.
std::string without_auth_entries(std::string_view text);

/// The auth file that `login` writes to and `logout` removes from, and the helpers that it names.
/// A file is written under a temporary name, made durable and renamed, with mode 0600; a link stays
/// a link, and its target is replaced. Two that write at the same time wait for each other (flock
/// of the directory).
class AuthStore {
 public:
  AuthStore(std::string path, HelperPrograms helpers, std::stop_token stop);

  /// Keeps credentials for `key` (a registry, or a namespace of it); where they went, the file's
  /// path or the helper's name. Throws Error.
  std::string store(const std::string& key, const Credentials& credentials) const;
  /// Forgets `key`; whether it was known. Throws Error.
  bool erase(const std::string& key) const;
  /// Forgets all keys of the file, and those that its helpers keep for it.
  void erase_all() const;

 private:
  std::string helper_for(std::string_view text, const std::string& key) const;

  std::string path_;
  HelperPrograms helpers_;
  std::stop_token stop_;
};

}  // namespace lade::registry
