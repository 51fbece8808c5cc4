// What one repository's requests share: where the registry is, the client, and how it lets us in.
#pragma once

#include "registry/auth/auth.hpp"
#include "registry/connection.hpp"
#include "registry/http.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

namespace lade::registry {

class Host;

/// Requests to one registry about one repository. Connects with the first one.
/// THREADS: request() may be called from several at once.
class Session {
 public:
  /// `domain` as in a reference: `docker.io`, `localhost:5000`.
  Session(std::string domain, std::string repository, ConnectionOptions options,
          std::stop_token stop);

  /// Sends one request that needs `scope` (`repository:NAME:pull`; empty for none), follows
  /// redirects and meets challenges. The answer may have any status; it and its body end in
  /// Cancelled when `stop` is requested, or the session's own. Throws TransportError with a hint.
  Response request(Method method, const std::string& target, Headers headers,
                   const std::string& scope, const std::stop_token& stop = {});

  /// Sends one request of any other kind, with what it carries; follows no redirect. Credentials
  /// go to the registry only, wherever `request.url` is. A stream that was begun when a challenge
  /// came, and cannot be rewound, ends in a retryable HttpError. Throws TransportError with a hint.
  Response send(Request request, const std::string& scope);

  /// Throws what a status that was not hoped for means: an HttpError that says who asked. What
  /// another host refuses, to which the registry sent us, is worth asking the registry again: the
  /// signature in its URL may have run out.
  [[noreturn]] void fail(Response& response);
  /// fail(), but NotFound for 404.
  [[noreturn]] void fail_naming(Response& response);

  /// The URL of an absolute path at the registry.
  Url resolve(const std::string& target);

  /// The URL of the registry itself.
  const Url& base();

  const RetryPolicy& retry() const noexcept { return options_.retry; }
  const std::stop_token& stop() const noexcept { return stop_; }

 private:
  void connect();
  void see_warnings(const Response& response);
  bool learn(const Response& response, const std::string& scope,
             const std::optional<Authorization>& sent);
  template <class Body>
  decltype(auto) with_hints(Body&& body) const;

  std::string domain_;
  std::string repository_;
  ConnectionOptions options_;
  std::stop_token stop_;

  std::mutex connecting_;
  std::shared_ptr<Host> host_;
  std::optional<Url> base_;
  std::unique_ptr<Authenticator> authenticator_;
};

}  // namespace lade::registry
