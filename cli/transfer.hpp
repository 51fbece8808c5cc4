// The options that say how blobs are moved: retries and rate.
#pragma once

#include "base/observer.hpp"
#include "cli/arguments.hpp"
#include "registry/connection.hpp"
#include "registry/rate_limiter.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

namespace lade::cli {

/// `--limit-rate`: bytes per second, with k, M or G for powers of 1024. Throws UsageError.
std::uint64_t parse_rate(std::string_view text);

/// `--retry-delay`: a duration as Go writes it, `500ms`, `1m30s`; a bare number is seconds. Throws
/// UsageError.
std::chrono::milliseconds parse_delay(std::string_view text);

/// The policy that the flags ask for; the observer hears of waits that servers ask for.
registry::RetryPolicy retry_policy(const TransferFlags& flags, Observer& observer);

/// What keeps all transfers of this process to `--limit-rate`; none without it.
std::unique_ptr<registry::RateLimiter> make_rate_limiter(const TransferFlags& flags);

}  // namespace lade::cli
