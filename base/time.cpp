#include "base/time.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <limits>

namespace lade {

namespace {

constexpr std::int64_t k_minute = 60;
constexpr std::int64_t k_hour = 60 * k_minute;

/// Reads the fixed-width parts of a date from the left.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  /// `width` digits whose value is within [low, high]; -1 and failed() otherwise.
  int number(std::size_t width, int low, int high) {
    int value = 0;
    if (rest_.size() < width) return fail();
    for (const char c : rest_.substr(0, width)) {
      if (c < '0' || c > '9') return fail();
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(width);
    return value < low || value > high ? fail() : value;
  }

  /// One character out of `choice`; 0 and failed() otherwise.
  char one_of(std::string_view choice) {
    if (rest_.empty() || choice.find(rest_[0]) == std::string_view::npos) {
      failed_ = true;
      return 0;
    }
    const char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }

  /// `.` and digits as nanoseconds, further digits dropped; 0 if there is no `.`.
  std::int32_t fraction() {
    if (rest_.empty() || rest_[0] != '.') return 0;
    rest_.remove_prefix(1);
    std::int32_t value = 0;
    std::size_t digits = 0;
    for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
      if (digits < 9) value = value * 10 + (rest_[digits] - '0');
    }
    if (digits == 0) return fail();
    rest_.remove_prefix(digits);
    for (; digits < 9; ++digits) value *= 10;
    return value;
  }

  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }

 private:
  int fail() {
    failed_ = true;
    return -1;
  }

  std::string_view rest_;
  bool failed_ = false;
};

/// The offset of `Z`, `+hh:mm` or `-hh:mm` in seconds.
std::int64_t scan_offset(Scanner& scanner) {
  const char sign = scanner.one_of("Zz+-");
  if (sign != '+' && sign != '-') return 0;
  const int hours = scanner.number(2, 0, 23);
  scanner.one_of(":");
  const std::int64_t offset = hours * k_hour + scanner.number(2, 0, 59) * k_minute;
  return sign == '-' ? -offset : offset;
}

std::string count_of(std::int64_t count, std::string_view unit) {
  return str(count, ' ', unit, count == 1 ? "" : "s", " ago");
}

}  // namespace

Timestamp now() {
  using namespace std::chrono;
  const auto since = system_clock::now().time_since_epoch();
  const auto whole = floor<seconds>(since);
  return {whole.count(), static_cast<std::int32_t>(nanoseconds(since - whole).count())};
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  Scanner scanner(text);
  const int year_number = scanner.number(4, 0, 9999);
  scanner.one_of("-");
  const int month_number = scanner.number(2, 1, 12);
  scanner.one_of("-");
  const int day_number = scanner.number(2, 1, 31);
  scanner.one_of("Tt");
  const int hour = scanner.number(2, 0, 23);
  scanner.one_of(":");
  const int minute = scanner.number(2, 0, 59);
  scanner.one_of(":");
  const int second = scanner.number(2, 0, 59);
  const std::int32_t fraction = scanner.fraction();
  const std::int64_t offset = scan_offset(scanner);
  if (scanner.failed() || !scanner.at_end()) return std::nullopt;

  const year_month_day date{year(year_number), month(static_cast<unsigned>(month_number)),
                            day(static_cast<unsigned>(day_number))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = sys_days(date).time_since_epoch().count();
  return Timestamp{days * 24 * k_hour + hour * k_hour + minute * k_minute + second - offset,
                   fraction};
}

std::string format_rfc3339(const Timestamp& time) {
  using namespace std::chrono;
  const sys_seconds point{seconds(time.seconds)};
  const auto midnight = floor<days>(point);
  const year_month_day date(midnight);
  const hh_mm_ss clock(point - midnight);
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02uT%02d:%02d:%02d",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  std::string text = buffer.data();
  if (time.nanoseconds != 0) {
    std::snprintf(buffer.data(), buffer.size(), ".%09d", time.nanoseconds);
    text += buffer.data();
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + "Z";
}

std::string format_ago(const Timestamp& time, const Timestamp& reference) {
  // Go's durations end at 292 years: an image of the year 1 is said to be that old.
  constexpr std::int64_t k_longest = std::numeric_limits<std::int64_t>::max() / 1'000'000'000;
  std::int64_t age = 0;
  if (__builtin_sub_overflow(reference.seconds, time.seconds, &age)) age = k_longest;
  if (reference.nanoseconds < time.nanoseconds) --age;
  if (time.seconds > reference.seconds) age = 0;
  age = std::min(age, k_longest);

  if (age < 1) return "Less than a second ago";
  if (age < k_minute) return count_of(age, "second");
  if (age < 2 * k_minute) return "About a minute ago";
  if (age < k_hour) return count_of(age / k_minute, "minute");
  const std::int64_t hours = (age + k_hour / 2) / k_hour;
  if (hours == 1) return "About an hour ago";
  if (hours < 48) return count_of(hours, "hour");
  if (hours < 24 * 14) return count_of(hours / 24, "day");
  if (hours < 24 * 60) return count_of(hours / 24 / 7, "week");
  if (hours < 24 * 365 * 2) return count_of(hours / 24 / 30, "month");
  return count_of(age / k_hour / 24 / 365, "year");
}

}  // namespace lade
