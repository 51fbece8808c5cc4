// What `login` is about: a registry or a namespace of it, and whether credentials open it.
#pragma once

#include "registry/connection.hpp"

#include <stop_token>
#include <string>
#include <string_view>

namespace lade::registry {

/// Whom one logs in to.
struct LoginTarget {
  std::string key;         ///< in the auth file: `quay.io`, or `quay.io/team/app`
  std::string registry;    ///< `quay.io`
  std::string repository;  ///< `team/app`, or empty
};

/// Parses `HOST[:PORT][/NAMESPACE…]`. As in skopeo, of a URL only the host counts. Docker Hub's
/// other names are `docker.io`. Throws UsageError, also for a tag or digest.
LoginTarget parse_login_target(std::string_view text);

/// Asks `registry` for its root with `credentials` and nothing else. Throws HttpError; its status
/// is 401 where they are wrong.
void check_credentials(const LoginTarget& target, const Credentials& credentials,
                       ConnectionOptions options, std::stop_token stop);

}  // namespace lade::registry
