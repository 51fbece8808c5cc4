// How to reach a registry: what the command line, the environment and the files of the host say.
// Everything is passed in; the library reads no environment.
#pragma once

#include "base/error.hpp"
#include "registry/auth/credentials.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lade::registry {

class HostPool;
class WarningLog;

/// `yes`: HTTPS with a certificate that verifies, nothing else. `no`: HTTPS with any certificate
/// and, only if the server does not speak TLS, plain HTTP.
enum class TlsVerify { yes, no };

/// Whether each wait is twice as long as the one before, or all are equal.
enum class Backoff { doubling, fixed };

/// How often and how patiently a request that may succeed later is sent again.
struct RetryPolicy {
  int attempts = 3;                            ///< in all, the first one included
  std::chrono::milliseconds first_delay{500};  ///< up to a quarter more, at random
  Backoff backoff = Backoff::doubling;
  std::chrono::seconds longest_retry_after{60};  ///< a server that asks for more is given up
  /// Hears of a wait that the server asked for, before it begins; may be empty.
  std::function<void(const HttpError&, std::chrono::seconds)> on_wait;
};

/// Everything about a connection to a registry that is not the name of an image.
struct ConnectionOptions {
  TlsVerify tls_verify = TlsVerify::yes;
  std::optional<std::string> cert_dir;  ///< `--cert-dir`: holds *.crt, *.cert and *.key itself
  std::vector<std::string>
      cert_roots;  ///< like /etc/containers/certs.d: the first HOST[:PORT] counts
  std::optional<Credentials> credentials;   ///< `--creds`; wins over the files
  std::optional<std::string> bearer_token;  ///< sent as it is; nothing else is tried then
  AuthFiles auth_files;
  std::string user_agent = "lade";
  std::optional<std::string> proxy;  ///< a proxy's URL; without it libcurl obeys the environment
  std::chrono::seconds connect_timeout{30};
  std::chrono::seconds stall_timeout{60};  ///< without (nearly) any byte, while one is waited for
  RetryPolicy retry;
  /// Who hears the registry's `Warning` headers; may be shared by connections, may be nobody.
  std::shared_ptr<WarningLog> warnings;
  /// Whose connections are used and kept; without it those of each repository are its own.
  std::shared_ptr<HostPool> hosts;
};

}  // namespace lade::registry
