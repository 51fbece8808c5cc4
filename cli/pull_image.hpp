// A pull: from a registry's repository into the store. What `pull` and `run` share.
#pragma once

#include "base/observer.hpp"
#include "oci/platform.hpp"
#include "oci/reference.hpp"
#include "registry/connection.hpp"
#include "store/store.hpp"

namespace lade::cli {

/// How to pull.
struct PullSettings {
  registry::ConnectionOptions connection;
  Platform platform;
  std::size_t jobs = 4;
};

/// Fetches, verifies and unpacks the image and tags it; returns its id (the configuration's
/// digest).
Digest pull_image(store::Store& store, const Reference& name, const PullSettings& settings,
                  const Job& job);

}  // namespace lade::cli
