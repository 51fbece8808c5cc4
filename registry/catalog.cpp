#include "registry/catalog.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/pages.hpp"
#include "registry/session.hpp"

#include <algorithm>
#include <utility>

namespace lade::registry {

namespace {

/// What a line of output, or a reference, can be made of.
bool is_repository_name(std::string_view name) {
  const auto fits = [](char c) { return c > ' ' && c != 127; };
  return !name.empty() && std::all_of(name.begin(), name.end(), fits);
}

}  // namespace

std::vector<std::string> list_catalog(const std::string& domain, ConnectionOptions options,
                                      std::stop_token stop) {
  Session session(domain, "", std::move(options), std::move(stop));
  const std::string registry = "registry " + quoted(domain);
  const std::string none = registry + " offers no catalogue";
  std::vector<std::string> names;
  try {
    names = fetch_names(
        session,
        {.path = "/v2/_catalog", .scope = "registry:catalog:*", .document = "list of repositories"},
        "repositories");
  } catch (const NotFound& error) {
    throw Error(str(none, ": ", error.what()));
  } catch (HttpError& error) {
    if (error.status() == 405) throw Error(str(none, ": ", error.what()));
    if (error.unauthorized()) error.add_context(none + " to us");
    throw;
  }
  for (const std::string& name : names) {
    if (!is_repository_name(name)) {
      throw InvalidData(str(registry, " lists ", quoted(name), ", which is no repository's name"));
    }
  }
  return names;
}

}  // namespace lade::registry
