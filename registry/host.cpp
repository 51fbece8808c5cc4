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
Url Host::find_base() const {
  const Url secure = root_url("https", domain_);
  if (options_.tls_verify == TlsVerify::yes) return secure;
  const auto probe = [this](const Url& root) {
    Response response = client_->send({.url = *root.resolve("/v2/")});
    drain(response);
  };
  try {
    probe(secure);
    return secure;
  } catch (const TransportError& error) {
    if (error.fault() == Fault::resolve) throw;
    const Url plain = root_url("http", domain_);
    // Something that is not TLS has answered: it need not be asked whether it is there.
    if (error.fault() == Fault::tls_handshake) return plain;
    try {
      probe(plain);
    } catch (const TransportError&) {
      throw error;  // the first try is the one that was meant
    }
    return plain;
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
