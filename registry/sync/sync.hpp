// The run of a sync: many images at once, what is there already found out by heads, failures kept
// apart. What to copy is in sync_plan.hpp, where to in sync_target.hpp.
#pragma once

#include "base/observer.hpp"
#include "registry/copy.hpp"
#include "registry/sync/sync_origin.hpp"
#include "registry/sync/sync_target.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <vector>

namespace lade::registry {

/// What becomes of a sync when an image fails.
enum class SyncFailures { stop, go_on };

/// How to copy.
struct SyncOptions {
  Instances instances;  ///< of lists, where an item does not say it
  Platform system;
  Changes changes = {};
  ReferrersToo referrers = ReferrersToo::no;
  SyncFailures failures = SyncFailures::stop;
  std::size_t jobs = 6;  ///< requests and blobs in flight for each host
  RetryPolicy retry = {};
  RateLimiter* limiter = nullptr;
  const PolicyCheck* policy = nullptr;  ///< asked about each image; none: all are taken
  CopySignatures signatures = {};       ///< of all images; without a gate
};

/// What came of one image.
struct SyncedImage {
  enum class Outcome { pending, copied, unchanged, failed };
  Outcome outcome = Outcome::pending;  ///< pending: the sync ended before
  std::optional<Digest> source;        ///< what its key stands for at the source
  std::optional<Digest> digest;        ///< what its name stands for at the destination
  std::exception_ptr failure;
  std::size_t referrers = 0;
};

/// What came of a sync.
struct SyncReport {
  std::vector<SyncedImage> images;  ///< in the order of the items
  std::size_t copied = 0;
  std::size_t unchanged = 0;
  std::size_t failed = 0;
  std::size_t blobs_fetched = 0;
  std::size_t blobs_reused = 0;
  std::uint64_t bytes_fetched = 0;
  std::chrono::milliseconds duration{0};
};

/// Which part of what a name stands for is copied, as a text for comparison with an earlier run.
std::string selection_text(const Instances& instances, const Platform& system);

/// Copies all images that the destination has not got as they are now. With SyncFailures::stop the
/// first failure is thrown, what was finished before it stays. `report` is filled in also then.
void sync_images(const std::vector<SyncItem>& items, const OpenRepository& open, SyncTarget& target,
                 const SyncOptions& options, const Job& job, SyncReport& report);

/// The names to remove: of those that exist, the ones that no item has and no expression protects,
/// in this shard. Tags that belong to an image that stays (`sha256-HEX…`) stay with it.
std::vector<std::string> names_to_prune(const std::vector<std::string>& existing,
                                        const std::vector<SyncItem>& items,
                                        const std::vector<Digest>& kept,
                                        const std::vector<Regex>& protect, const Shard& shard);

}  // namespace lade::registry
