// A bound on bytes per second that all transfers of a process share.
#pragma once

#include "base/concurrency.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stop_token>

namespace lade::registry {

/// Lets so many bytes per second through, whoever moves them. THREADS: all functions.
class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;

  /// REQUIRES: `bytes_per_second` > 0.
  explicit RateLimiter(std::uint64_t bytes_per_second) : rate_(bytes_per_second) {}

  /// The moment from which on `bytes` that were moved at `now` are paid for; books them.
  Clock::time_point book(std::size_t bytes, Clock::time_point now);
  /// Books `bytes` and sleeps until they are paid for. Throws Cancelled.
  void take(std::size_t bytes, const std::stop_token& stop);
  /// How much to move at a time, so that waits stay short: a tenth of a second's worth, at least 1.
  std::size_t piece() const noexcept;

 private:
  std::uint64_t rate_;
  Sync<Clock::time_point> free_;  ///< when all that was booked is paid for
};

}  // namespace lade::registry
