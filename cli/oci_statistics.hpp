// What a container uses, as runc's `events` shows it.
#pragma once

#include "runner/cgroups/statistics.hpp"

#include <string>

namespace lade::cli {

/// The `data` of an event of type `stats`.
std::string statistics_json(const runner::CgroupStatistics& statistics);

}  // namespace lade::cli
