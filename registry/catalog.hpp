// The list of a registry's repositories: `/v2/_catalog`, Docker's extension that the OCI left out.
#pragma once

#include "registry/connection.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace lade::registry {

/// The repositories of the registry `domain` (`localhost:5000`) in its order, through any number of
/// pages. Throws Error when it offers no catalogue (404, 405), HttpError when not to us (401, 403).
std::vector<std::string> list_catalog(const std::string& domain, ConnectionOptions options,
                                      std::stop_token stop = {});

}  // namespace lade::registry
