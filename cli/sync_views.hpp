// What a sync says of itself: the summary, and the report in JSON.
#pragma once

#include "registry/sync/sync_listing.hpp"

#include <string>
#include <vector>

namespace lade::cli {

/// All that came of a sync.
struct SyncOutcome {
  const registry::SyncListing& listing;
  const registry::SyncTarget& target;
  registry::SyncReport report;
  std::vector<std::string> pruned;
};

/// One line: images, blobs, bytes, time.
std::string sync_summary(const SyncOutcome& outcome);

/// The same as data, with what came of each image.
std::string sync_report_json(const SyncOutcome& outcome);

}  // namespace lade::cli
