// One stream for several takers, read once.
#pragma once

#include "base/stream.hpp"

#include <exception>
#include <functional>
#include <span>
#include <stop_token>
#include <vector>

namespace lade {

/// Reads `source` once and gives every taker all of it as a stream of its own, each in a thread of
/// its own; the slowest one sets the pace (about a MiB is kept for the others). A taker that throws
/// or returns early is left out from then on. Returns for each what it threw, or null. Throws what
/// the source throws, and Cancelled; no taker has seen the end of its stream then.
std::vector<std::exception_ptr> broadcast(Source& source,
                                          std::span<const std::function<void(Source&)>> takers,
                                          const std::stop_token& stop);

}  // namespace lade
