#include "registry/auth.hpp"

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

std::string basic_value(const Credentials& credentials) {
  return "Basic " + base64_encode(str(credentials.username, ':', credentials.password));
}

/// ``REGISTRY as USER (credentials from FILE)``.
std::string who(const std::string& registry, const Credentials& credentials) {
  return str(quoted(registry), " as ", quoted(credentials.username), " (credentials from ",
             quoted(credentials.origin), ")");
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
  return scope.empty() ? std::vector<std::string>() : split(scope, ' ');
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

}  // namespace

Token parse_token(std::string_view body, const std::optional<std::string>& date) {
  const JsonValue document = parse_json(body, "answer of the token server");
  const JsonNode root(document, "answer of the token server");
  Token token{root.find_text("token"), k_shortest_lifetime};
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

std::optional<Authorization> Authenticator::authorize(const std::string& scope) {
  Url realm;
  std::string service;
  std::vector<std::string> scopes;
  {
    auto state = state_.lock();
    if (state->scheme == Scheme::unknown) return std::nullopt;
    if (state->scheme == Scheme::basic) {
      return Authorization{basic_value(*state->lookup->credentials)};
    }
    realm = *state->realm;
    service = state->service;
    const auto known = state->scopes.find(scope);
    scopes = known == state->scopes.end() ? wanted(scope) : known->second;
  }
  return bearer(realm, service, scopes);
}

bool Authenticator::learn(const Response& response, const std::string& scope,
                          const std::optional<Authorization>& sent) {
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
  // What we want comes first, since some servers read only the first scope.
  std::vector<std::string>& scopes = state->scopes.try_emplace(scope, wanted(scope)).first->second;
  const std::size_t before = scopes.size();
  for (std::string& stated : split(challenge.find("scope").value_or(""), ' ')) {
    const bool known = std::find(scopes.begin(), scopes.end(), stated) != scopes.end();
    if (!stated.empty() && !known && scopes.size() < k_most_scopes) {
      scopes.push_back(std::move(stated));
    }
  }
  return !sent || !same_server || scopes.size() > before || !sent->fresh;
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
  if (!credentials().credentials) return false;
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

Authorization Authenticator::bearer(const Url& realm, const std::string& service,
                                    const std::vector<std::string>& scopes) {
  std::shared_ptr<Slot> slot;
  {
    const std::set<std::string> sorted(scopes.begin(), scopes.end());
    std::string key = str(realm.text(), '\n', service);
    for (const std::string& scope : sorted) key += '\n' + scope;
    auto slots = slots_.lock();
    auto& found = (*slots)[key];
    if (!found) found = std::make_shared<Slot>();
    slot = found;
  }
  const std::lock_guard guard(slot->fetching);
  const auto now = std::chrono::steady_clock::now();
  {
    auto cached = slot->cached.lock();
    if (!cached->value.empty() && now < cached->expires) return {k_bearer + cached->value};
  }
  const Token token = fetch_token(realm, service, scopes);
  // A tenth early, so that it does not expire on its way.
  *slot->cached.lock() = {token.value, now + token.lifetime - token.lifetime / 10};
  return {k_bearer + token.value, true};
}

Token Authenticator::fetch_token(const Url& realm, const std::string& service,
                                 const std::vector<std::string>& scopes) {
  const CredentialLookup lookup = credentials();
  Request request{.url = token_url(realm, service, scopes, lookup.credentials)};
  if (lookup.credentials) request.headers.add("Authorization", basic_value(*lookup.credentials));
  const auto context = [&] {
    return lookup.credentials ? str("log in to ", who(options_.registry, *lookup.credentials))
                              : str("get a token for ", quoted(options_.registry));
  };
  return in_context(context, [&] {
    return with_retries(options_.retry, options_.stop, [&] {
      Response response = send_following(client_, request);
      if (response.status == 200) {
        return parse_token(read_all(*response.body, k_token_cap, "the token server's answer"),
                           response.headers.find("Date"));
      }
      HttpError error = make_http_error(response);
      set_hint(error, lookup);
      throw error;
    });
  });
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
  if (lookup.credentials) {
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
