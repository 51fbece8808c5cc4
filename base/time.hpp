// RFC 3339 times, as images carry them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lade {

/// Nanoseconds since the epoch, UTC.
struct Timestamp {
  std::int64_t seconds = 0;
  std::int32_t nanoseconds = 0;
  auto operator<=>(const Timestamp&) const = default;
};

/// Now.
Timestamp now();

/// Parses `2022-11-16T07:26:42.618327645Z` and offsets; nothing if it is not RFC 3339.
std::optional<Timestamp> parse_rfc3339(std::string_view text);

/// Prints as Go does: UTC, fractional digits without trailing zeros.
std::string format_rfc3339(const Timestamp& time);

/// How long ago, as podman says it: `About a minute ago`, `3 hours ago`, `2 weeks ago`.
std::string format_ago(const Timestamp& time, const Timestamp& reference);

}  // namespace lade
