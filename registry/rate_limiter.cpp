#include "registry/rate_limiter.hpp"

#include "registry/http.hpp"

#include <algorithm>

namespace lade::registry {

RateLimiter::Clock::time_point RateLimiter::book(std::size_t bytes, Clock::time_point now) {
  const std::chrono::duration<double> cost(static_cast<double>(bytes) / static_cast<double>(rate_));
  auto free = free_.lock();
  *free = std::max(*free, now) + std::chrono::duration_cast<Clock::duration>(cost);
  return *free;
}

void RateLimiter::take(std::size_t bytes, const std::stop_token& stop) {
  const auto now = Clock::now();
  const auto wait = book(bytes, now) - now;
  wait_for(std::chrono::ceil<std::chrono::milliseconds>(wait), stop);
}

std::size_t RateLimiter::piece() const noexcept {
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(rate_ / 10, 1, 1 << 30));
}

}  // namespace lade::registry
