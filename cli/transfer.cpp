#include "cli/transfer.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <optional>

namespace lade::cli {

namespace {

constexpr std::uint64_t k_fastest = std::uint64_t{1} << 50;
constexpr std::uint64_t k_longest_delay = 24 * 3600 * 1000;  // milliseconds

/// Takes the leading digits off `text`; nothing without one.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_number<std::uint64_t>(text.substr(0, end));
  text.remove_prefix(end);
  return number;
}

/// Milliseconds of the unit that `text` begins with, which is taken off; 0 if there is none.
std::uint64_t take_unit(std::string_view& text) {
  struct Unit {
    std::string_view name;
    std::uint64_t milliseconds;
  };
  for (const Unit& unit : {Unit{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return unit.milliseconds;
  }
  return 0;
}

}  // namespace

std::uint64_t parse_rate(std::string_view text) {
  std::string_view rest = text;
  const auto number = take_number(rest);
  const std::string unit = ascii_lower(rest);
  const int shift = unit.empty() ? 0 : unit == "k" ? 10 : unit == "m" ? 20 : unit == "g" ? 30 : -1;
  if (!number || *number == 0 || shift < 0 || *number > (k_fastest >> shift)) {
    throw UsageError(
        str("--limit-rate ", quoted(text), ": expected bytes per second, like 500k or 2M"));
  }
  return *number << shift;
}

std::chrono::milliseconds parse_delay(std::string_view text) {
  std::uint64_t total = 0;
  std::string_view rest = text;
  bool is_valid = !text.empty();
  while (is_valid && !rest.empty()) {
    const auto number = take_number(rest);
    const bool is_bare = rest.empty() && total == 0;
    const std::uint64_t unit = is_bare ? 1000 : take_unit(rest);
    is_valid = number && unit > 0 && *number <= k_longest_delay;
    if (is_valid) total += *number * unit;
  }
  if (!is_valid || total > k_longest_delay) {
    throw UsageError(str("--retry-delay ", quoted(text),
                         ": expected a duration of at most a day, like 500ms, 2s or 1m30s"));
  }
  return std::chrono::milliseconds(total);
}

registry::RetryPolicy retry_policy(const TransferFlags& flags, Observer& observer) {
  registry::RetryPolicy policy;
  if (flags.retry_times) policy.attempts = *flags.retry_times + 1;
  if (flags.retry_delay) {
    policy.first_delay = *flags.retry_delay;
    policy.backoff = registry::Backoff::fixed;
  }
  policy.on_wait = [&observer](const HttpError& error, std::chrono::seconds wait) {
    observer.note(NoteLevel::info, str(error.what(), ": waiting ", wait.count(), " s"));
  };
  return policy;
}

std::unique_ptr<registry::RateLimiter> make_rate_limiter(const TransferFlags& flags) {
  if (!flags.limit_rate) return nullptr;
  return std::make_unique<registry::RateLimiter>(*flags.limit_rate);
}

}  // namespace lade::cli
