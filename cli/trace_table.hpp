// What `--trace` prints.
#pragma once

#include "runner/trace.hpp"

#include <string>
#include <vector>

namespace lade::cli {

/// A line for everything that was noted: when it ended and how long it took whoever did it, in
/// microseconds since the trace began. What the first process of the container does begins with
/// the clone, while lade is still at it.
std::string trace_text(const std::vector<runner::Trace::Note>& notes);

}  // namespace lade::cli
