#include "registry/auth/login.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/reference.hpp"
#include "registry/session.hpp"

namespace lade::registry {

LoginTarget parse_login_target(std::string_view text) {
  std::string_view rest = text;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!text.starts_with(scheme)) continue;
    rest = text.substr(scheme.size());
    rest = rest.substr(0, rest.find('/'));
  }
  while (rest.ends_with('/')) rest.remove_suffix(1);
  const std::string host(rest.substr(0, rest.find('/')));
  if (host.empty()) throw UsageError(str("registry ", quoted(text), ": no host name"));
  const std::string registry = registry_of_key(host);
  if (!Url::parse(str("https://", host, "/"))) {
    throw UsageError(str("registry ", quoted(text), ": not a host name"));
  }
  if (host.size() == rest.size()) return {registry, registry, ""};
  const Reference reference = Reference::parse(rest);
  if (reference.tag() || reference.digest()) {
    throw UsageError(str("reference ", quoted(text), " contains tag or digest"));
  }
  if (reference.domain() != registry) {
    throw UsageError(str("registry ", quoted(text), ": ", quoted(host), " is not a host name"));
  }
  const std::string repository(rest.substr(host.size() + 1));
  return {str(registry, '/', repository), registry, repository};
}

void check_credentials(const LoginTarget& target, const Credentials& credentials,
                       ConnectionOptions options, std::stop_token stop) {
  options.credentials = credentials;
  Session session(target.registry, target.repository, std::move(options), std::move(stop));
  Headers headers;
  headers.add("Accept-Encoding", "identity");
  Response response = session.request(Method::get, "/v2/", std::move(headers), "");
  if (response.status != 200) session.fail(response);
  drain(response);
}

}  // namespace lade::registry
