// The repositories of a run, each with the one session that it has: who asks for a hundred images
// of a repository gets in once.
#pragma once

#include "oci/reference.hpp"
#include "registry/connection.hpp"
#include "registry/repository.hpp"

#include <map>
#include <mutex>
#include <stop_token>
#include <string>

namespace lade::registry {

/// THREADS: get().
class RepositoryPool {
 public:
  /// The repository that `reference` names, over the session that was made for it when it was asked
  /// for in the same way (TLS rule, certificates, proxy, credentials of its own or not).
  Repository get(const Reference& reference, const ConnectionOptions& options,
                 const std::stop_token& stop);

 private:
  std::mutex mutex_;
  std::map<std::string, Repository> repositories_;
};

}  // namespace lade::registry
