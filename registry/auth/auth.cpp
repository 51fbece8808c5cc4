#include "registry/auth/auth.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "oci/json.hpp"

#include <algorithm>

namespace lade::registry {

namespace {

using std::chrono::seconds;

constexpr std::size_t k_token_cap = 1024 * 1024;
constexpr seconds k_shortest_lifetime{60};  // what a server that says nothing, or less, means
constexpr seconds k_longest_lifetime{24 * 3600};
constexpr std::size_t k_most_scopes = 16;
constexpr const char* k_bearer = "Bearer ";
constexpr const char* k_client_id = "lade";

std::string basic_value(const Credentials& credentials) {
  return "Basic " + base64_encode(str(credentials.username, ':', credentials.password));
}

/// ``REGISTRY as USER (credentials from FILE)``.
std::string who(const std::string& registry, const Credentials& credentials) {
  const std::string user = credentials.has_password() ? str("as ", quoted(credentials.username))
                                                      : "with an identity token";
  return str(quoted(registry), ' ', user, " (credentials from ", quoted(credentials.origin), ")");
}

/// How old a token is by the server's own clock, so that ours may be wrong.
seconds age_of(const std::string& issued_at, const std::optional<std::string>& date) {
  const auto issued = parse_rfc3339(issued_at);
  const auto sent = date ? parse_http_date(*date) : std::nullopt;
  if (!issued || !sent) return seconds(0);
  return std::max(sent->time_since_epoch() - seconds(issued->seconds), seconds(0));
}

/// The challenge that we can meet best: bearer before basic.
std::optional<Challenge> choose(const std::vector<std::string>& fields) {
  std::optional<Challenge> basic;
  for (const std::string& field : fields) {
    for (Challenge& challenge : parse_challenges(field)) {
      if (challenge.scheme == "bearer" && challenge.find("realm")) return std::move(challenge);
      if (challenge.scheme == "basic" && !basic) basic = std::move(challenge);
    }
  }
  return basic;
}

/// The scopes to ask for as long as the registry has not named more; none for the empty one. Blanks
/// stand between several.
std::vector<std::string> wanted(const std::string& scope) {
  std::vector<std::string> scopes = split(scope, ' ');
  std::erase(scopes, "");
  return scopes;
}

/// Whether a token for `wide` is good for `narrow`, too: the same resource, and all actions.
bool covers(const std::string& wide, const std::string& narrow) {
  if (wide == narrow) return true;
  const auto wide_end = wide.rfind(':');
  const auto narrow_end = narrow.rfind(':');
  if (wide_end == std::string::npos || narrow_end == std::string::npos) return false;
  if (wide.substr(0, wide_end) != narrow.substr(0, narrow_end)) return false;
  const std::vector<std::string> granted = split(wide.substr(wide_end + 1), ',');
  const std::vector<std::string> needed = split(narrow.substr(narrow_end + 1), ',');
  return std::all_of(needed.begin(), needed.end(), [&](const std::string& action) {
    return std::find(granted.begin(), granted.end(), action) != granted.end();
  });
}

/// Adds what the registry says is needed to what we ask for; whether that is more. Some servers
/// read only the first scope, so what we want comes first, and what we lacked before that.
bool merge_scopes(std::vector<std::string>& scopes, const std::vector<std::string>& stated,
                  bool insufficient) {
  std::vector<std::string> more;
  for (const std::string& scope : stated) {
    const auto known = [&](const std::string& other) { return covers(other, scope); };
    if (std::any_of(scopes.begin(), scopes.end(), known)) continue;
    if (std::any_of(more.begin(), more.end(), known)) continue;
    if (scopes.size() + more.size() < k_most_scopes) more.push_back(scope);
  }
  for (const std::string& scope : more) {
    std::erase_if(scopes, [&](const std::string& old) { return covers(scope, old); });
  }
  scopes.insert(insufficient ? scopes.begin() : scopes.end(), more.begin(), more.end());
  return !more.empty();
}

Url token_url(Url realm, const std::string& service, const std::vector<std::string>& scopes,
              const std::optional<Credentials>& credentials) {
  std::vector<std::string> parameters;
  if (!service.empty()) parameters.push_back("service=" + percent_encode(service));
  for (const std::string& scope : scopes) parameters.push_back("scope=" + percent_encode(scope));
  if (credentials) parameters.push_back("account=" + percent_encode(credentials->username));
  if (parameters.empty()) return realm;
  realm.target += realm.target.find('?') == std::string::npos ? '?' : '&';
  realm.target += join(parameters, "&");
  return realm;
}

/// The form of an OAuth2 request (RFC 6749, 6); scopes are one text there.
std::string token_form(const std::string& service, const std::vector<std::string>& scopes,
                       const std::string& refresh_token) {
  std::string form = str("grant_type=refresh_token&client_id=", k_client_id,
                         "&refresh_token=", percent_encode(refresh_token));
  if (!service.empty()) form += "&service=" + percent_encode(service);
  if (!scopes.empty()) form += "&scope=" + percent_encode(join(scopes, " "));
  return form;
}

std::string server_key(const Url& realm, const std::string& service) {
  return str(realm.text(), '\n', service);
}

Token token_of(Response& response) {
  return parse_token(read_all(*response.body, k_token_cap, "the token server's answer"),
                     response.headers.find("Date"));
}

}  // namespace

Token parse_token(std::string_view body, const std::optional<std::string>& date) {
  const JsonValue document = parse_json(body, "answer of the token server");
  const JsonNode root(document, "answer of the token server");
  Token token{root.find_text("token"), k_shortest_lifetime, root.find_text("refresh_token")};
  if (token.value.empty()) token.value = root.find_text("access_token");
  if (token.value.empty()) root.fail("has no token");
  seconds lifetime = k_shortest_lifetime;
  if (const auto stated = root.find("expires_in")) {
    const auto most = static_cast<std::uint64_t>(k_longest_lifetime.count());
    lifetime = std::max(seconds(std::min(stated->size(), most)), k_shortest_lifetime);
  }
  token.lifetime = std::max(lifetime - age_of(root.find_text("issued_at"), date), seconds(0));
  return token;
}

std::optional<Authorization> Authenticator::authorize(const std::string& scope, seconds lasting) {
  if (options_.bearer_token) return Authorization{str(k_bearer, *options_.bearer_token)};
  Want want;
  {
    auto state = state_.lock();
    if (state->scheme == Scheme::unknown) return std::nullopt;
    if (state->scheme == Scheme::basic) {
      return Authorization{basic_value(*state->lookup->credentials)};
    }
    const auto known = state->scopes.find(scope);
    want = {*state->realm, state->service,
            known == state->scopes.end() ? wanted(scope) : known->second};
  }
  return bearer(want, lasting);
}

bool Authenticator::learn(const Response& response, const std::string& scope,
                          const std::optional<Authorization>& sent) {
  if (options_.bearer_token) return false;
  const auto challenge = choose(response.headers.all("WWW-Authenticate"));
  if (!challenge) return false;
  return challenge->scheme == "bearer" ? learn_bearer(*challenge, response, scope, sent)
                                       : learn_basic(sent);
}

bool Authenticator::learn_bearer(const Challenge& challenge, const Response& response,
                                 const std::string& scope,
                                 const std::optional<Authorization>& sent) {
  const std::string text = challenge.find("realm").value_or("");
  const auto realm = options_.base.resolve(text);
  const std::string objection =
      realm ? objection_to(options_.base, response.peer, *realm) : "it is not an http or https URL";
  if (!objection.empty()) {
    throw Refused(str(response.what(), ": token server ",
                      quoted(realm ? realm->redacted() : text.substr(0, 200)),
                      " not asked: ", objection));
  }

  if (sent) discard(*sent);
  auto state = state_.lock();
  const std::string service = challenge.find("service").value_or("");
  const bool same_server = state->scheme == Scheme::bearer && state->service == service &&
                           state->realm->text() == realm->text();
  state->scheme = Scheme::bearer;
  state->realm = realm;
  state->service = service;
  std::vector<std::string>& scopes = state->scopes.try_emplace(scope, wanted(scope)).first->second;
  const bool insufficient = challenge.find("error") == "insufficient_scope";
  const bool more =
      merge_scopes(scopes, wanted(challenge.find("scope").value_or("")), insufficient);
  return !sent || !same_server || more || !sent->fresh;
}

void Authenticator::discard(const Authorization& rejected) {
  auto slots = slots_.lock();
  for (auto& [key, slot] : *slots) {
    auto cached = slot->cached.lock();
    if (k_bearer + cached->value == rejected.value) cached->value.clear();
  }
}

bool Authenticator::learn_basic(const std::optional<Authorization>& sent) {
  if (sent && sent->value.starts_with("Basic ")) return false;
  const CredentialLookup lookup = credentials();
  if (!lookup.credentials || !lookup.credentials->has_password()) return false;
  state_.lock()->scheme = Scheme::basic;
  return true;
}

bool Authenticator::challenged() {
  return state_.lock()->scheme != Scheme::unknown;
}

CredentialLookup Authenticator::credentials() {
  auto state = state_.lock();
  if (!state->lookup) state->lookup = options_.find_credentials();
  return *state->lookup;
}

Authorization Authenticator::bearer(const Want& want, seconds lasting) {
  std::shared_ptr<Slot> slot;
  {
    const std::set<std::string> sorted(want.scopes.begin(), want.scopes.end());
    std::string key = str(want.realm.text(), '\n', want.service);
    for (const std::string& scope : sorted) key += '\n' + scope;
    auto slots = slots_.lock();
    auto& found = (*slots)[key];
    if (!found) found = std::make_shared<Slot>();
    slot = found;
  }
  const std::lock_guard guard(slot->fetching);
  const auto now = options_.now();
  {
    auto cached = slot->cached.lock();
    const auto needed =
        std::min<std::chrono::steady_clock::duration>(lasting, cached->lifetime / 2);
    if (!cached->value.empty() && now + needed < cached->expires) {
      return {k_bearer + cached->value};
    }
  }
  const Token token = fetch_token(want);
  // A tenth early, so that it does not expire on its way.
  *slot->cached.lock() = {token.value, now + token.lifetime - token.lifetime / 10, token.lifetime};
  return {k_bearer + token.value, true};
}

Token Authenticator::fetch_token(const Want& want) {
  const CredentialLookup lookup = credentials();
  const auto context = [&] {
    return lookup.credentials ? str("log in to ", who(options_.registry, *lookup.credentials))
                              : str("get a token for ", quoted(options_.registry));
  };
  Token token = in_context(context, [&] {
    if (auto renewed = exchange_kept(want)) return *std::move(renewed);
    if (!lookup.credentials || lookup.credentials->identity_token.empty()) {
      return get_token(want, lookup);
    }
    auto exchanged = exchange(want, lookup.credentials->identity_token);
    return exchanged ? *std::move(exchanged) : get_token(want, lookup);
  });
  if (!token.refresh_token.empty()) {
    (*refresh_tokens_.lock())[server_key(want.realm, want.service)] = token.refresh_token;
  }
  return token;
}

/// The distribution token protocol.
Token Authenticator::get_token(const Want& want, const CredentialLookup& lookup) {
  std::optional<Credentials> credentials = lookup.credentials;
  if (credentials && !credentials->has_password()) credentials.reset();
  Request request{.url = token_url(want.realm, want.service, want.scopes, credentials)};
  if (credentials) request.headers.add("Authorization", basic_value(*credentials));
  return with_retries(options_.retry, options_.stop, [&] {
    Response response = send_following(client_, request);
    if (response.status == 200) return token_of(response);
    HttpError error = make_http_error(response);
    set_hint(error, lookup);
    throw error;
  });
}

/// OAuth2's form of it, for who has a refresh token; nothing if the server does not speak it and
/// there is another way.
std::optional<Token> Authenticator::exchange(const Want& want, const std::string& refresh_token) {
  const std::string form = token_form(want.service, want.scopes, refresh_token);
  Request request{.method = Method::post, .url = want.realm, .body = {form}};
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  return with_retries(options_.retry, options_.stop, [&]() -> std::optional<Token> {
    // Not following redirects: who is sent elsewhere would take the refresh token along.
    Response response = client_.send(request);
    if (response.status == 200) return token_of(response);
    const CredentialLookup lookup = credentials();
    const bool unknown = response.status == 404 || response.status == 405;
    if (unknown && (!lookup.credentials || lookup.credentials->has_password())) {
      drain(response);
      return std::nullopt;
    }
    HttpError error = make_http_error(response);
    // OAuth2's `invalid_grant` is a 400; what it means is 401 to everybody else.
    if (error.status() == 400) {
      error = HttpError({.status = 401, .code = error.code()}, error.message());
    }
    error.set_hint(unknown ? str("the token server of ", quoted(options_.registry),
                                 " does not take identity tokens; log in with a password")
                           : str("the identity token for ", quoted(options_.registry),
                                 " is not accepted; it may have expired: log in again"));
    throw error;
  });
}

/// exchange() of the refresh token that came with an earlier answer; one that is not taken any more
/// is forgotten.
std::optional<Token> Authenticator::exchange_kept(const Want& want) {
  const std::string key = server_key(want.realm, want.service);
  std::string kept;
  {
    auto tokens = refresh_tokens_.lock();
    const auto found = tokens->find(key);
    if (found == tokens->end()) return std::nullopt;
    kept = found->second;
  }
  try {
    if (auto token = exchange(want, kept)) return token;
  } catch (const HttpError& error) {
    if (error.retryable() || error.status() == 0) throw;
  }
  auto tokens = refresh_tokens_.lock();
  if (const auto found = tokens->find(key); found != tokens->end() && found->second == kept) {
    tokens->erase(found);
  }
  return std::nullopt;
}

void Authenticator::explain(HttpError& error) {
  if (!error.unauthorized()) return;
  const CredentialLookup lookup = credentials();
  set_hint(error, lookup);
  if (lookup.credentials) {
    error.add_context("access " + who(options_.registry, *lookup.credentials));
  }
}

void Authenticator::set_hint(HttpError& error, const CredentialLookup& lookup) const {
  if (!error.unauthorized()) return;
  if (lookup.credentials && !lookup.credentials->has_password()) {
    error.set_hint(str("the identity token for ", quoted(options_.registry),
                       " is not accepted, or gives no right to this repository"));
  } else if (lookup.credentials) {
    error.set_hint(str("wrong user name or password for ", quoted(options_.registry),
                       ", or no right to this repository"));
  } else if (!lookup.refusal.empty()) {
    error.set_hint(lookup.refusal);
  } else {
    error.set_hint(str("no credentials for ", quoted(options_.registry),
                       " were found; the repository may be private, or not exist"));
  }
}

}  // namespace lade::registry
