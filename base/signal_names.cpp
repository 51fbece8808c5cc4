#include "base/signal_names.hpp"

#include "base/text.hpp"

#include <signal.h>
#include <string.h>

#include <array>
#include <string>
#include <utility>

namespace lade {

namespace {

constexpr int k_last_plain = 31;
// As the kernel and every runtime count them; the C library keeps the first two for itself.
constexpr int k_first_realtime = 34;
constexpr int k_last_realtime = 64;

/// Names that sigabbrev_np() does not give, since the number has another one.
constexpr std::array<std::pair<std::string_view, int>, 4> k_aliases{
    {{"CLD", SIGCHLD}, {"IOT", SIGABRT}, {"IO", SIGIO}, {"UNUSED", SIGSYS}}};

std::optional<int> in_range(std::optional<int> number) {
  return number && *number >= 1 && *number <= k_last_realtime ? number : std::nullopt;
}

std::optional<int> find_realtime(std::string_view name) {
  const bool is_least = name.starts_with("RTMIN");
  if (!is_least && !name.starts_with("RTMAX")) return std::nullopt;
  const int base = is_least ? k_first_realtime : k_last_realtime;
  name.remove_prefix(5);
  if (name.empty()) return base;
  if (name.front() != (is_least ? '+' : '-')) return std::nullopt;
  const auto distance = parse_number<unsigned char>(name.substr(1));
  if (!distance || *distance > k_last_realtime - k_first_realtime) return std::nullopt;
  return is_least ? base + *distance : base - *distance;
}

}  // namespace

std::optional<int> find_signal(std::string_view text) {
  if (const auto number = parse_number<int>(text)) return in_range(number);
  std::string upper;
  for (const char c : text) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  std::string_view name = upper;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (int number = 1; number <= k_last_plain; ++number) {
    const char* known = ::sigabbrev_np(number);
    if (known != nullptr && name == known) return number;
  }
  for (const auto& [alias, number] : k_aliases) {
    if (name == alias) return number;
  }
  return find_realtime(name);
}

}  // namespace lade
