// Times in the forms that Go prints.
#include "base/template/value.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace lade::go {

namespace {

constexpr std::array<std::string_view, 12> k_months{
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> k_days{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                 "Thursday", "Friday", "Saturday"};

/// A time taken apart in its own zone.
struct Parts {
  int year;
  unsigned month, day, weekday;
  int hour, minute, second;
  std::int32_t nanoseconds;
  int offset;
};

Parts parts_of(const Time& time) {
  using namespace std::chrono;
  const sys_seconds point{seconds(time.instant.seconds + time.offset)};
  const auto midnight = floor<days>(point);
  const year_month_day date(midnight);
  const hh_mm_ss clock(point - midnight);
  return {.year = static_cast<int>(date.year()),
          .month = static_cast<unsigned>(date.month()),
          .day = static_cast<unsigned>(date.day()),
          .weekday = weekday(midnight).c_encoding(),
          .hour = static_cast<int>(clock.hours().count()),
          .minute = static_cast<int>(clock.minutes().count()),
          .second = static_cast<int>(clock.seconds().count()),
          .nanoseconds = time.instant.nanoseconds,
          .offset = time.offset};
}

std::string padded(std::int64_t number, std::size_t width, char fill = '0') {
  std::string digits = std::to_string(number);
  if (digits.size() < width) digits.insert(0, width - digits.size(), fill);
  return digits;
}

std::string zone(int offset, std::string_view separator) {
  const int minutes = std::abs(offset) / 60;
  return str(offset < 0 ? '-' : '+', padded(minutes / 60, 2), separator, padded(minutes % 60, 2));
}

/// The fraction with `digits` digits; with `trim` no zeros at its end, and nothing for none.
enum class Zeros { keep, trim };
std::string fraction(std::int32_t nanoseconds, std::size_t digits, Zeros zeros) {
  std::string text = padded(nanoseconds, 9).substr(0, digits);
  if (zeros == Zeros::keep) return "." + text;
  text.erase(text.find_last_not_of('0') + 1);
  return text.empty() ? text : "." + text;
}

int twelve(int hour) {
  return hour % 12 == 0 ? 12 : hour % 12;
}

/// One piece of a layout that stands for a part of a time.
struct Piece {
  std::string_view text;
  std::string (*print)(const Parts&);
};

// The longer ones first where one begins as another does.
constexpr Piece k_pieces[] = {
    {"January", [](const Parts& p) { return std::string(k_months[p.month - 1]); }},
    {"Jan", [](const Parts& p) { return std::string(k_months[p.month - 1].substr(0, 3)); }},
    {"Monday", [](const Parts& p) { return std::string(k_days[p.weekday]); }},
    {"Mon", [](const Parts& p) { return std::string(k_days[p.weekday].substr(0, 3)); }},
    {"MST", [](const Parts& p) { return p.offset == 0 ? std::string("UTC") : zone(p.offset, ""); }},
    {"2006", [](const Parts& p) { return padded(p.year, 4); }},
    {"_2", [](const Parts& p) { return padded(p.day, 2, ' '); }},
    {"01", [](const Parts& p) { return padded(p.month, 2); }},
    {"02", [](const Parts& p) { return padded(p.day, 2); }},
    {"03", [](const Parts& p) { return padded(twelve(p.hour), 2); }},
    {"04", [](const Parts& p) { return padded(p.minute, 2); }},
    {"05", [](const Parts& p) { return padded(p.second, 2); }},
    {"06", [](const Parts& p) { return padded(p.year % 100, 2); }},
    {"15", [](const Parts& p) { return padded(p.hour, 2); }},
    {"1", [](const Parts& p) { return padded(p.month, 1); }},
    {"2", [](const Parts& p) { return padded(p.day, 1); }},
    {"3", [](const Parts& p) { return padded(twelve(p.hour), 1); }},
    {"4", [](const Parts& p) { return padded(p.minute, 1); }},
    {"5", [](const Parts& p) { return padded(p.second, 1); }},
    {"PM", [](const Parts& p) { return std::string(p.hour < 12 ? "AM" : "PM"); }},
    {"pm", [](const Parts& p) { return std::string(p.hour < 12 ? "am" : "pm"); }},
    {"Z07:00",
     [](const Parts& p) { return p.offset == 0 ? std::string("Z") : zone(p.offset, ":"); }},
    {"Z0700", [](const Parts& p) { return p.offset == 0 ? std::string("Z") : zone(p.offset, ""); }},
    {"-07:00", [](const Parts& p) { return zone(p.offset, ":"); }},
    {"-0700", [](const Parts& p) { return zone(p.offset, ""); }},
    {"-07", [](const Parts& p) { return zone(p.offset, "").substr(0, 3); }},
};

/// Takes `.000` or `.999` (any number of digits) off the layout; empty if it does not begin so.
std::string take_fraction(std::string_view& layout, std::int32_t nanoseconds) {
  if (layout.size() < 2 || layout[0] != '.' || (layout[1] != '0' && layout[1] != '9')) return "";
  const char digit = layout[1];
  std::size_t end = layout.find_first_not_of(digit, 1);
  if (end == std::string_view::npos) end = layout.size();
  const bool more_digits = end < layout.size() && layout[end] >= '0' && layout[end] <= '9';
  if (more_digits || end - 1 > 9) return "";
  layout.remove_prefix(end);
  return fraction(nanoseconds, end - 1, digit == '0' ? Zeros::keep : Zeros::trim);
}

}  // namespace

std::optional<Time> parse_time(std::string_view text) {
  const auto instant = parse_rfc3339(text);
  if (!instant) return std::nullopt;
  Time time{*instant, 0};
  const char last = text.back();
  if (last == 'Z' || last == 'z') return time;
  // `+hh:mm`, which parse_rfc3339() has accepted.
  const auto digits = [&](std::size_t from_end) {
    return *parse_number<int>(text.substr(text.size() - from_end, 2));
  };
  time.offset = digits(5) * 3600 + digits(2) * 60;
  if (text[text.size() - 6] == '-') time.offset = -time.offset;
  return time;
}

std::string json_time(const Time& time) {
  return format_time(time, "2006-01-02T15:04:05.999999999Z07:00");
}

std::string display_time(const Time& time) {
  return format_time(time, "2006-01-02 15:04:05.999999999 -0700 MST");
}

std::string format_time(const Time& time, std::string_view layout) {
  const Parts parts = parts_of(time);
  std::string out;
  while (!layout.empty()) {
    const std::size_t before = layout.size();
    out += take_fraction(layout, parts.nanoseconds);
    if (layout.size() != before) continue;
    const auto* const found =
        std::find_if(std::begin(k_pieces), std::end(k_pieces),
                     [&](const Piece& piece) { return layout.starts_with(piece.text); });
    if (found != std::end(k_pieces)) {
      out += found->print(parts);
      layout.remove_prefix(found->text.size());
    } else {
      out += layout.front();
      layout.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace lade::go
