// The YAML file of `sync --src yaml`: skopeo's schema, and keys of our own beside its.
#pragma once

#include "registry/auth/credentials.hpp"
#include "registry/connection.hpp"
#include "registry/sync/sync_plan.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// What a file says of one registry.
struct SyncRegistry {
  std::string name;  ///< `HOST[:PORT]`
  std::optional<Credentials> credentials;
  std::optional<TlsVerify> tls_verify;  ///< absent: what the command line says
  std::optional<std::string> cert_dir;
  std::vector<SyncSource> sources;
};

/// A parsed file.
struct SyncFile {
  std::vector<SyncRegistry> registries;
  std::vector<std::string> warnings;  ///< keys that nobody knows, with their lines
};

/// Parses a file. Per registry: skopeo's `images`, `images-by-tag-regex`, `images-by-semver`,
/// `credentials`, `tls-verify` and `cert-dir`; ours are `include`, `exclude`, `newest`, `platforms`
/// and `referrers` for all its repositories, and `repositories`, a map from a repository to the
/// same and `rename`. Throws InvalidData naming `document` and the line.
SyncFile parse_sync_file(std::string_view bytes, std::string_view document);

}  // namespace lade::registry
