// The certificates that the host keeps for a registry: certs.d directories, as
// containers-certs.d(5).
#pragma once

#include "registry/connection.hpp"
#include "registry/curl.hpp"

#include <optional>
#include <string>

namespace lade::registry {

/// What was found for one registry.
struct Certificates {
  std::string ca_pem;  ///< all *.crt, one after the other; empty if there are none
  std::optional<ClientCertificate> client;  ///< the first *.cert and its *.key; authority not set
};

/// Looks into `cert_dir`, else into the first of `cert_roots` that has a directory named
/// `authority`
/// (`localhost:5000`, `docker.io`). Throws Error for a certificate without its key, or a key
/// without its certificate.
Certificates find_certificates(const ConnectionOptions& options, const std::string& authority);

/// Where a CA certificate for `authority` would be found, for hints.
std::string ca_path_hint(const ConnectionOptions& options, const std::string& authority);

}  // namespace lade::registry
