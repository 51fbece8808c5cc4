// How many pulls a registry still allows, as its headers say it (Docker Hub, and the IETF's draft).
#pragma once

#include "registry/http.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace lade::registry {

/// What an answer says of the limit; what it does not say is absent.
struct RateLimit {
  std::optional<std::uint64_t> limit;          ///< pulls in a window
  std::optional<std::uint64_t> remaining;      ///< pulls left of them
  std::optional<std::chrono::seconds> window;  ///< how long one lasts
  std::string source;                          ///< who is counted: an address, a user; or empty

  /// Whether a limit is stated at all.
  bool is_stated() const { return limit || remaining; }
  bool operator==(const RateLimit&) const = default;
};

/// Reads `RateLimit-Limit` (`100;w=21600`), `RateLimit-Remaining`, their forms with `X-`, and
/// `Docker-RateLimit-Source`. What is malformed counts as absent.
RateLimit parse_rate_limit(const Headers& headers);

}  // namespace lade::registry
