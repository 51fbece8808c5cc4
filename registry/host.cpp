#include "registry/host.hpp"

#include "base/text.hpp"
#include "registry/certificates.hpp"
#include "registry/curl.hpp"

namespace lade::registry {

namespace {

/// Where the API of a registry is; only Docker Hub's is not where its name says.
std::string api_host(const std::string& domain) {
  return domain == "docker.io" ? "registry-1.docker.io" : domain;
}

Url root_url(std::string_view scheme, const std::string& domain) {
  const auto url = Url::parse(str(scheme, "://", api_host(domain), "/"));
  if (!url) throw UsageError(str("registry ", quoted(domain), ": not a host name"));
  return *url;
}

/// Whether a registry's name has a port: `localhost:5000`.
bool has_port(const std::string& domain) {
  return domain.rfind(':') != std::string::npos;
}

/// Whether a status is a registry's, rather than that of a server that wants TLS on this port (400,
/// or a redirect there) or of a proxy that could not make sense of it.
bool is_registry_status(int status) {
  return (status >= 200 && status < 300) || (status > 400 && status < 500);
}

}  // namespace

const Url& Host::base() {
  // Not std::call_once: an exception that leaves it unwinds through libc's pthread_once, which
  // aborts in a program with its own copy of the unwinder (-static-libgcc).
  const std::lock_guard lock(connecting_);
  if (base_) return *base_;
  Certificates certificates = find_certificates(options_, domain_);
  if (certificates.client) {
    certificates.client->authority = root_url("https", domain_).authority();
  }
  client_ = make_curl_client({.tls_verify = options_.tls_verify,
                              .extra_ca_pem = std::move(certificates.ca_pem),
                              .client_certificate = std::move(certificates.client),
                              .user_agent = options_.user_agent,
                              .proxy = options_.proxy,
                              .connect_timeout = options_.connect_timeout,
                              .stall_timeout = options_.stall_timeout,
                              .stop = stop_});
  base_ = find_base();
  return *base_;
}

/// HTTPS, without asking, unless `--tls-verify=false` allows for something else.
Url Host::find_base() {
  const Url secure = root_url("https", domain_);
  if (options_.tls_verify == TlsVerify::yes) return secure;
  const Url plain = root_url("http", domain_);
  const auto ask = [this](const Url& root) {
    Response response = client_->send({.url = *root.resolve("/v2/")});
    drain(response);
    response.body.reset();
    return response;
  };
  // A port speaks one of the two. The question has no secret in it, and costs a third of a TLS
  // handshake that comes to nothing.
  if (has_port(domain_)) {
    try {
      Response answer = ask(plain);
      if (is_registry_status(answer.status)) {
        answer_ = std::move(answer);
        return plain;
      }
    } catch (const TransportError& error) {
      if (error.fault() == Fault::resolve || error.fault() == Fault::connect) throw;
    }
  }
  try {
    answer_ = ask(secure);
    return secure;
  } catch (const TransportError& error) {
    if (error.fault() == Fault::resolve) throw;
    // Something that is not TLS has answered: it need not be asked whether it is there.
    if (error.fault() == Fault::tls_handshake) return plain;
    try {
      answer_ = ask(plain);
      return plain;
    } catch (const TransportError&) {
      throw error;  // the first try is the one that was meant
    }
  }
}

std::shared_ptr<Host> HostPool::get(const std::string& domain, const ConnectionOptions& options,
                                    const std::stop_token& stop) {
  const std::string key =
      str(domain, '\n', options.tls_verify == TlsVerify::yes ? "verify" : "trust", '\n',
          options.cert_dir.value_or(""), '\n', options.proxy.value_or(""));
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Host>& host = hosts_[key];
  if (!host) host = std::make_shared<Host>(domain, options, stop);
  return host;
}

}  // namespace lade::registry
