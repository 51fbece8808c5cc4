// A pull: from a registry's repository into the store. What `pull` and `run` share.
#pragma once

#include "base/observer.hpp"
#include "cli/connection.hpp"
#include "oci/platform.hpp"
#include "registry/rate_limiter.hpp"
#include "registry/signing/policy_check.hpp"
#include "store/store.hpp"

#include <optional>
#include <string>

namespace lade::cli {

/// How to pull.
struct PullSettings {
  const RegistryAccess& registries;
  const registry::PolicyCheck& policy;
  Platform platform;
  registry::RetryPolicy retry = {};
  registry::RateLimiter* limiter = nullptr;
  std::size_t jobs = 4;
};

/// Fetches, verifies and unpacks the image that `name` (short or not) means, and tags it; returns
/// its id (the configuration's digest). Of several that a short name may mean it is the first that
/// exists.
Digest pull_image(store::Store& store, const std::string& name, const PullSettings& settings,
                  const Job& job);

/// The image in the store that `name` means: by the store's own rules, else by what registries.conf
/// says of short names.
std::optional<store::StoredImage> find_image(const App& app, const store::Store& store,
                                             const std::string& name);

}  // namespace lade::cli
