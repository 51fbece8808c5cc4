// From sources to the list of images: asks registries for their tags, looks into directories.
#pragma once

#include "base/observer.hpp"
#include "registry/sync/sync.hpp"
#include "registry/sync/sync_lock.hpp"

#include <exception>
#include <functional>
#include <string>
#include <vector>

namespace lade::registry {

/// The images of all sources, and what is said of them.
struct SyncListing {
  std::vector<SyncItem> items;
  std::size_t sources = 0;
  /// The repositories at the destination of which all images are known, so that others may go.
  std::vector<std::string> repositories;
  std::vector<std::exception_ptr> failures;  ///< of sources that could not be listed
};

/// The tags of a repository; called from several threads.
using ListTags = std::function<std::vector<std::string>(const Reference&)>;

/// How to list.
struct ListingOptions {
  SyncNaming naming;
  SyncFailures failures = SyncFailures::stop;
  std::size_t jobs = 6;
  const SyncLock* lock = nullptr;  ///< then nothing is asked, and each image is what it says
};

/// The images of repositories at registries. With SyncFailures::go_on a repository that cannot be
/// listed is left out and told. Throws UsageError when two images would get one name.
SyncListing list_registries(const std::vector<SyncSource>& sources, const ListTags& list,
                            const ListingOptions& options, const Job& job);

/// All images of a mirror that have names; only those of `name` if it is not empty. Throws
/// NotFound.
SyncListing list_layout(const std::string& path, const std::string& name, const SyncRules& rules,
                        const ListingOptions& options);

/// All `dir:` images below a directory, or itself. Throws NotFound if there are none.
SyncListing list_directories(const std::string& path, const ListingOptions& options);

}  // namespace lade::registry
