#include "registry/session.hpp"

#include "base/text.hpp"
#include "registry/certificates.hpp"
#include "registry/host.hpp"
#include "registry/warnings.hpp"

namespace lade::registry {

namespace {

constexpr int k_most_challenges = 2;  // met for one request
// A stream that a registry refuses half-way must begin anew, so its token is to be good for longer
// than until it is asked for.
constexpr std::chrono::seconds k_stream_time{60};

}  // namespace

Session::Session(std::string domain, std::string repository, ConnectionOptions options,
                 std::stop_token stop)
    : domain_(std::move(domain)),
      repository_(std::move(repository)),
      options_(std::move(options)),
      stop_(std::move(stop)) {}

const Url& Session::base() {
  const std::lock_guard lock(connecting_);
  if (!authenticator_) connect();
  return *base_;
}

void Session::connect() {
  host_ = options_.hosts ? options_.hosts->get(domain_, options_, stop_)
                         : std::make_shared<Host>(domain_, options_, stop_);
  base_ = host_->base();
  const auto lookup = [this] {
    if (options_.credentials) return CredentialLookup{.credentials = options_.credentials};
    return find_credentials(options_.auth_files, domain_, repository_, stop_);
  };
  authenticator_ = std::make_unique<Authenticator>(
      host_->client(), Authenticator::Options{.registry = domain_,
                                              .base = *base_,
                                              .find_credentials = lookup,
                                              .bearer_token = options_.bearer_token,
                                              .retry = options_.retry,
                                              .stop = stop_});
  // What was asked on the way need not be asked again.
  const Response* answer = host_->answer();
  if (answer != nullptr && answer->status == 401) authenticator_->learn(*answer, {}, {});
}

/// Adds how to mend what went wrong below HTTP.
template <class Body>
decltype(auto) Session::with_hints(Body&& body) const {
  try {
    return body();
  } catch (TransportError& error) {
    if (error.fault() == Fault::certificate) {
      error.set_hint(str("if this is the right server, put the certificate of its CA into ",
                         quoted(ca_path_hint(options_, domain_)),
                         ", or name its directory with --cert-dir"));
    } else if (error.fault() == Fault::client_certificate) {
      error.set_hint(str("put the certificate and its key beside ",
                         quoted(ca_path_hint(options_, domain_)),
                         " as client.cert and client.key, or name their directory with"
                         " --cert-dir"));
    } else if (error.fault() == Fault::tls_handshake && options_.tls_verify == TlsVerify::yes) {
      error.set_hint(str("if ", quoted(domain_), " speaks plain HTTP, say --tls-verify=false"));
    }
    throw;
  }
}

Response Session::request(Method method, const std::string& target, Headers headers,
                          const std::string& scope, const std::stop_token& stop) {
  return with_hints([&] {
    const Url url = resolve(target);
    for (int challenges = 0;; ++challenges) {
      const auto authorization = authenticator_->authorize(scope);
      headers.set("Authorization",
                  authorization ? std::optional(authorization->value) : std::nullopt);
      Response response = send_following(
          host_->client(), {.method = method, .url = url, .headers = headers, .stop = stop});
      see_warnings(response);
      const bool challenged = response.status == 401 && response.url.same_origin(base());
      if (!challenged || challenges == k_most_challenges) return response;
      if (!learn(response, scope, authorization)) return response;
      drain(response);
    }
  });
}

void Session::see_warnings(const Response& response) {
  if (options_.warnings && response.url.same_origin(base())) {
    options_.warnings->see(domain_, response.headers.all("Warning"));
  }
}

Response Session::send(Request request, const std::string& scope) {
  return with_hints([&] {
    const bool ours = request.url.same_origin(base());
    const auto lasting = request.body.stream != nullptr ? k_stream_time : std::chrono::seconds(0);
    for (int challenges = 0;; ++challenges) {
      const auto authorization = ours ? authenticator_->authorize(scope, lasting) : std::nullopt;
      request.headers.set("Authorization",
                          authorization ? std::optional(authorization->value) : std::nullopt);
      Response response = host_->client().send(request);
      see_warnings(response);
      if (response.status != 401 || !ours || challenges == k_most_challenges) return response;
      if (!learn(response, scope, authorization)) return response;
      const Body& body = request.body;
      if (body.stream != nullptr && !(body.rewind && body.rewind())) {
        throw HttpError({.status = 401, .retryable = true},
                        str(response.what(), ": 401 unauthorized while the body was sent"));
      }
      drain(response);
    }
  });
}

/// Learns from a 401; one without a challenge (Google's) makes us look at the root's instead.
bool Session::learn(const Response& response, const std::string& scope,
                    const std::optional<Authorization>& sent) {
  if (response.headers.find("WWW-Authenticate")) {
    return authenticator_->learn(response, scope, sent);
  }
  if (authenticator_->challenged()) return false;
  Response root = send_following(host_->client(), {.url = *base().resolve("/v2/")});
  const bool learnt = authenticator_->learn(root, scope, sent);
  drain(root);
  return learnt;
}

Url Session::resolve(const std::string& target) {
  auto url = base().resolve(target);
  if (!url) throw InvalidData(str("request ", quoted(target), ": not a URL"));
  return *std::move(url);
}

void Session::fail_naming(Response& response) {
  if (response.status != 404) fail(response);
  const HttpError error = make_http_error(response);
  throw NotFound(error.message());
}

void Session::fail(Response& response) {
  HttpError error = make_http_error(response);
  if (response.url.same_origin(base())) {
    authenticator_->explain(error);
    throw error;
  }
  // What a store of blobs on another host refuses has nothing to do with our credentials.
  const bool refused = error.status() == 401 || error.status() == 403;
  throw HttpError({.status = error.status(),
                   .retryable = error.retryable() || refused,
                   .retry_after = error.retry_after(),
                   .code = error.code(),
                   .elsewhere = true},
                  error.message());
}

}  // namespace lade::registry
