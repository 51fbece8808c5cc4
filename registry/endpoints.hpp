// From the name of an image to the places that it is read from: mirrors, rewritten names, refusals.
// What registries.conf says is in registry/registries_conf.hpp.
#pragma once

#include "base/error.hpp"
#include "oci/reference.hpp"
#include "registry/registries_conf.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lade::registry {

/// What is read: an image (by its digest if the reference has one, else by its tag) or the list of
/// a repository's tags, for which a mirror that is right for digests only is no help.
enum class Reading { image, tags };

/// Whether an endpoint is a mirror or the registry that the configuration names, always the last.
enum class EndpointKind { mirror, registry };

/// One place to read from.
struct PullEndpoint {
  Reference reference;  ///< the name there; its tag or digest is the key to ask for
  TlsVerify tls_verify = TlsVerify::yes;
  std::optional<std::string> proxy;
  EndpointKind kind = EndpointKind::registry;
};

/// Where to read from, in this order.
struct PullPlan {
  std::vector<PullEndpoint> endpoints;  ///< at least one
  /// The places that are left out since they are blocked: what to say when all others fail.
  std::vector<std::string> refusals;
};

/// The endpoints for `reference`. Without a rule for it that is the reference itself. A blocked
/// registry is left out, its mirrors are not; throws Refused, "registry `X` is blocked in `FILE`",
/// when nothing is left, and InvalidData naming the file when a location does not make a reference.
PullPlan plan_pull(const RegistriesConf& conf, const Reference& reference,
                   Reading reading = Reading::image);

/// How to speak to a registry that is used under its own name, for push, delete and login: mirrors
/// and locations are for reading. `name` is `host[:port]` or a repository. Throws Refused if
/// blocked.
Location direct_location(const RegistriesConf& conf, std::string_view name);

/// Adds to the failure of the last endpoint what the others and the refusals were.
void add_failures(Error& error, const std::vector<std::string>& failures, const PullPlan& plan);

/// Calls `attempt(endpoint)` for one endpoint after the other until one returns, and returns that.
/// Every Error of a mirror is followed by the next endpoint and told to `note(endpoint, error)`;
/// the last one's is thrown, with the others in its context.
template <class Attempt, class Note>
auto try_endpoints(const PullPlan& plan, Attempt&& attempt, Note&& note) {
  std::vector<std::string> failures;
  for (std::size_t i = 0; i + 1 < plan.endpoints.size(); ++i) {
    try {
      return attempt(plan.endpoints[i]);
    } catch (const Error& error) {
      failures.emplace_back(error.what());
      note(plan.endpoints[i], error);
    }
  }
  try {
    return attempt(plan.endpoints.back());
  } catch (Error& error) {
    add_failures(error, failures, plan);
    throw;
  }
}

}  // namespace lade::registry
