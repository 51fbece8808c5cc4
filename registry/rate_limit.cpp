#include "registry/rate_limit.hpp"

#include "base/text.hpp"

namespace lade::registry {

namespace {

/// One field: a number, perhaps with parameters, perhaps followed by policies (`10, 10;w=1`).
struct Quota {
  std::optional<std::uint64_t> count;
  std::optional<std::chrono::seconds> window;
};

Quota parse_quota(std::string_view field) {
  Quota quota;
  for (const std::string& policy : split(field, ',')) {
    const std::vector<std::string> parts = split(policy, ';');
    if (!quota.count) quota.count = parse_number<std::uint64_t>(trim(parts.front()));
    for (const std::string& part : parts) {
      const std::string_view parameter = trim(part);
      if (quota.window || !parameter.starts_with("w=")) continue;
      if (const auto seconds = parse_number<std::uint32_t>(parameter.substr(2))) {
        quota.window = std::chrono::seconds(*seconds);
      }
    }
  }
  return quota;
}

Quota find_quota(const Headers& headers, const char* name) {
  auto field = headers.find(str("RateLimit-", name));
  if (!field) field = headers.find(str("X-RateLimit-", name));
  return field ? parse_quota(*field) : Quota();
}

}  // namespace

RateLimit parse_rate_limit(const Headers& headers) {
  const Quota limit = find_quota(headers, "Limit");
  const Quota remaining = find_quota(headers, "Remaining");
  return {.limit = limit.count,
          .remaining = remaining.count,
          .window = limit.window ? limit.window : remaining.window,
          .source = headers.find("Docker-RateLimit-Source").value_or("")};
}

}  // namespace lade::registry
