// Getting in: Basic, and bearer tokens by the distribution token protocol and its OAuth2 form.
#pragma once

#include "base/concurrency.hpp"
#include "registry/auth/challenge.hpp"
#include "registry/auth/credentials.hpp"
#include "registry/connection.hpp"
#include "registry/http.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// A bearer token and how long it may be used.
struct Token {
  std::string value;
  std::chrono::steady_clock::duration lifetime;  ///< from when it was asked for
  std::string refresh_token;                     ///< for the next one; or empty
};

/// Parses a token server's answer: `token` or `access_token`, `expires_in` (60 s if absent or
/// less), `issued_at` (its age, told by the answer's own `Date`, is taken off), `refresh_token`.
/// Throws InvalidData.
Token parse_token(std::string_view body, const std::optional<std::string>& date);

/// What is sent in `Authorization`.
struct Authorization {
  std::string value;
  bool fresh = false;  ///< a token that was fetched for this very request
};

/// Knows how one registry wants to be asked. THREADS: may be called from several at once; a token
/// that several want is fetched once.
class Authenticator {
 public:
  struct Options {
    std::string registry;                                ///< for messages
    Url base;                                            ///< where the registry is
    std::function<CredentialLookup()> find_credentials;  ///< called once, and only if challenged
    std::optional<std::string> bearer_token;  ///< what is sent, whatever the registry asks for
    RetryPolicy retry;
    std::stop_token stop;
    std::function<std::chrono::steady_clock::time_point()> now = &std::chrono::steady_clock::now;
  };

  /// `client` must outlive this object.
  Authenticator(HttpClient& client, Options options)
      : client_(client), options_(std::move(options)) {}

  /// What to send with a request that needs `scope` (one, or several with blanks between them);
  /// nothing as long as nobody asked for it. A token is renewed if it ends within `lasting`, unless
  /// a new one would hardly last longer. May ask the token server. Throws HttpError, with a hint,
  /// when that lets nobody in.
  std::optional<Authorization> authorize(const std::string& scope,
                                         std::chrono::seconds lasting = {});

  /// Learns from the challenges of a 401 to a request that needed `scope` and carried `sent`.
  /// Whether sending it again may help. Throws Refused for a realm that must not be asked.
  bool learn(const Response& response, const std::string& scope,
             const std::optional<Authorization>& sent);

  /// Whether any challenge has been understood.
  bool challenged();

  /// Adds to a final 401 or 403 who we were, or why we were nobody.
  void explain(HttpError& error);

 private:
  enum class Scheme { unknown, basic, bearer };

  struct State {
    Scheme scheme = Scheme::unknown;
    std::optional<Url> realm;
    std::string service;
    std::map<std::string, std::vector<std::string>> scopes;  ///< by wanted scope: all to ask for
    std::optional<CredentialLookup> lookup;
  };

  struct Cached {
    std::string value;
    std::chrono::steady_clock::time_point expires;
    std::chrono::steady_clock::duration lifetime;
  };

  /// What a token is for; the key of the cache.
  struct Want {
    Url realm;
    std::string service;
    std::vector<std::string> scopes;
  };

  /// The place of one token. `fetching` is held by who asks for it, so that others wait.
  struct Slot {
    std::mutex fetching;
    Sync<Cached> cached;
  };

  bool learn_bearer(const Challenge& challenge, const Response& response, const std::string& scope,
                    const std::optional<Authorization>& sent);
  bool learn_basic(const std::optional<Authorization>& sent);
  Authorization bearer(const Want& want, std::chrono::seconds lasting);
  Token fetch_token(const Want& want);
  Token get_token(const Want& want, const CredentialLookup& lookup);
  std::optional<Token> exchange(const Want& want, const std::string& refresh_token);
  std::optional<Token> exchange_kept(const Want& want);
  void discard(const Authorization& rejected);
  CredentialLookup credentials();
  void set_hint(HttpError& error, const CredentialLookup& lookup) const;

  HttpClient& client_;
  Options options_;
  Sync<State> state_;
  Sync<std::map<std::string, std::shared_ptr<Slot>>> slots_;
  Sync<std::map<std::string, std::string>> refresh_tokens_;  // by realm and service, this process's
};

}  // namespace lade::registry
