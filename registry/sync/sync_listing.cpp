#include "registry/sync/sync_listing.hpp"

#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/transports/image_directory.hpp"
#include "registry/transports/oci_layout.hpp"

#include <sys/stat.h>

#include <algorithm>

namespace lade::registry {

namespace {

constexpr int k_deepest_directory = 64;

/// The repository at the destination that a source's images go to.
std::string destination_repository(const SyncSource& source, const SyncNaming& naming) {
  return repository_of(
      destination_name(source.repository.with_tag("x"), source.rules.rename, naming));
}

/// Each item becomes what the lock says.
void pin(std::vector<SyncItem>& items, const SyncLock& lock) {
  for (SyncItem& item : items) item.key = lock.get(item.origin());
}

std::vector<SyncItem> list_source(SyncSource source, const ListTags& list,
                                  const ListingOptions& options) {
  std::vector<std::string> listed;
  if (options.lock != nullptr) {
    if (source.needs_tags()) source.keys = options.lock->keys_of(source.repository);
    if (source.needs_tags()) {
      throw NotFound(str("nothing of ", quoted(source.repository.repository()), " is in the lock"));
    }
  } else if (source.needs_tags()) {
    const auto context = [&] {
      return str("list tags of ", quoted(source.repository.repository()));
    };
    listed = in_context(context, [&] { return list(source.repository); });
  }
  auto items = plan_source(source, listed, options.naming);
  if (options.lock != nullptr) pin(items, *options.lock);
  return items;
}

std::string last_component(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

/// Looks for images below `path`, whose place below the root is `below`.
void find_images(const std::string& path, const std::string& below, int depth,
                 std::vector<std::pair<std::string, std::string>>& found) {
  const Directory directory = Directory::open(path);
  if (directory.exists(k_directory_manifest)) {
    found.emplace_back(path, below);
    return;
  }
  if (depth == k_deepest_directory) return;
  for (const std::string& name : directory.list()) {
    const auto status = directory.find_stat(name);
    if (!status || !S_ISDIR(status->st_mode)) continue;
    find_images(str(path, '/', name), below.empty() ? name : str(below, '/', name), depth + 1,
                found);
  }
}

}  // namespace

SyncListing list_registries(const std::vector<SyncSource>& sources, const ListTags& list,
                            const ListingOptions& options, const Job& job) {
  SyncListing listing{.sources = sources.size()};
  std::vector<std::vector<SyncItem>> items(sources.size());
  std::vector<std::exception_ptr> failures(sources.size());
  parallel_for_each(sources.size(), options.jobs, job.stop,
                    [&](std::size_t index, const std::stop_token&) {
                      try {
                        items[index] = list_source(sources[index], list, options);
                      } catch (const Error&) {
                        if (options.failures == SyncFailures::stop) throw;
                        failures[index] = std::current_exception();
                      }
                    });
  for (std::size_t i = 0; i < sources.size(); ++i) {
    std::move(items[i].begin(), items[i].end(), std::back_inserter(listing.items));
    if (failures[i]) listing.failures.push_back(failures[i]);
  }
  listing.items = without_duplicates(std::move(listing.items));
  // What nothing matches may be a registry that has lost its tags: nothing there is gone.
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (failures[i] || items[i].empty()) continue;
    listing.repositories.push_back(destination_repository(sources[i], options.naming));
  }
  auto& repositories = listing.repositories;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (failures[i]) std::erase(repositories, destination_repository(sources[i], options.naming));
  }
  std::sort(repositories.begin(), repositories.end());
  repositories.erase(std::unique(repositories.begin(), repositories.end()), repositories.end());
  return listing;
}

SyncListing list_layout(const std::string& path, const std::string& name, const SyncRules& rules,
                        const ListingOptions& options) {
  SyncListing listing{.sources = 1};
  const LayoutIndex index = OciLayout::open(path).read_index();
  for (const LayoutEntry& entry : index.entries()) {
    if (entry.name.empty() || (!name.empty() && entry.name != name)) continue;
    const SyncSource filter{.repository = Reference::parse("filter"), .rules = rules};
    if (name.empty() && select_tags(filter, {entry.name}).empty()) continue;
    const std::string base = repository_of(entry.name);
    const std::string kept =
        options.naming.names == SyncNames::scoped ? base : last_component(base);
    listing.items.push_back(
        {.from = SyncFrom::layout,
         .path = path,
         .key = entry.name,
         .name = str(kept, entry.name.substr(base.size()), options.naming.suffix),
         .platforms = rules.platforms,
         .referrers = rules.referrers});
  }
  if (listing.items.empty()) {
    throw NotFound(str("no images to sync found in ", quoted(path)));
  }
  listing.items = without_duplicates(std::move(listing.items));
  for (const SyncItem& item : listing.items)
    listing.repositories.push_back(repository_of(item.name));
  return listing;
}

SyncListing list_directories(const std::string& path, const ListingOptions& options) {
  std::vector<std::pair<std::string, std::string>> found;
  find_images(path, "", 0, found);
  if (found.empty()) throw NotFound(str("no images to sync found in ", quoted(path)));
  SyncListing listing{.sources = 1};
  for (const auto& [place, below] : found) {
    const std::string whole = below.empty() ? last_component(path) : below;
    const std::string kept =
        options.naming.names == SyncNames::scoped ? whole : last_component(whole);
    listing.items.push_back({.from = SyncFrom::directory,
                             .path = place,
                             .key = std::string(),
                             .name = kept + options.naming.suffix});
  }
  listing.items = without_duplicates(std::move(listing.items));
  for (const SyncItem& item : listing.items)
    listing.repositories.push_back(repository_of(item.name));
  return listing;
}

}  // namespace lade::registry
