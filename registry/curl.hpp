// The HTTP client over libcurl; only curl.cpp knows it.
#pragma once

#include "registry/http.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace lade::registry {

/// A client certificate and its key, as PEM files, and the only server that gets to see it.
struct ClientCertificate {
  std::string authority;  ///< as Url::authority()
  std::string certificate_path;
  std::string key_path;
};

/// Settings that all requests of a client share.
struct CurlOptions {
  TlsVerify tls_verify = TlsVerify::yes;
  std::string extra_ca_pem;  ///< certificates to trust besides the system's
  std::optional<ClientCertificate> client_certificate;
  std::string user_agent;
  std::optional<std::string> proxy;
  std::chrono::seconds connect_timeout{30};
  std::chrono::seconds stall_timeout{60};
  std::stop_token stop;
};

/// A client whose answers' bodies are pulled from the connection as they are read; connections are
/// kept for the next request. Speaks HTTP/1.1, since each transfer has a connection of its own.
std::unique_ptr<HttpClient> make_curl_client(CurlOptions options);

}  // namespace lade::registry
