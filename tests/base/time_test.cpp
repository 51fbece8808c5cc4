#include "base/time.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace lade {
namespace {

TEST(Rfc3339, ParsesWhatImagesCarry) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z"), (Timestamp{0, 0}));
  EXPECT_EQ(parse_rfc3339("2022-11-16T07:26:42.618327645Z"), (Timestamp{1668583602, 618327645}));
  EXPECT_EQ(parse_rfc3339("2022-11-16T09:26:42.5+02:00"), (Timestamp{1668583602, 500000000}));
  EXPECT_EQ(parse_rfc3339("2022-11-15T23:56:42-07:30"), (Timestamp{1668583602, 0}));
  EXPECT_EQ(parse_rfc3339("2022-11-16t07:26:42z"), (Timestamp{1668583602, 0}));
  EXPECT_EQ(parse_rfc3339("1969-12-31T23:59:59.25Z"), (Timestamp{-1, 250000000}));
  EXPECT_EQ(parse_rfc3339("0001-01-01T00:00:00Z"), (Timestamp{-62135596800, 0}));
  EXPECT_EQ(parse_rfc3339("9999-12-31T23:59:59Z"), (Timestamp{253402300799, 0}));
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00Z"), (Timestamp{1709164800, 0}));
  // More digits than nanoseconds are dropped.
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00.1234567899Z"), (Timestamp{0, 123456789}));
}

TEST(Rfc3339, RefusesEverythingElse) {
  for (const char* bad : {"",
                          "now",
                          "2022-11-16",
                          "2022-11-16T07:26:42",
                          "2022-11-16 07:26:42Z",
                          "2022-11-16T07:26:42.Z",
                          "2022-11-16T07:26:42,5Z",
                          "2022-11-16T07:26:42Z ",
                          "2022-11-16T7:26:42Z",
                          "2022-13-16T07:26:42Z",
                          "2022-00-16T07:26:42Z",
                          "2023-02-29T00:00:00Z",
                          "2022-11-31T00:00:00Z",
                          "2022-11-00T00:00:00Z",
                          "2022-11-16T24:00:00Z",
                          "2022-11-16T23:60:00Z",
                          "2022-11-16T23:59:60Z",
                          "2022-11-16T07:26:42+24:00",
                          "2022-11-16T07:26:42+0200",
                          "2022-11-16T07:26:42+02:60",
                          "+022-11-16T07:26:42Z",
                          "22022-11-16T07:26:42Z",
                          "2022-11-16T07:26:42+"}) {
    EXPECT_EQ(parse_rfc3339(bad), std::nullopt) << bad;
  }
}

TEST(Rfc3339, PrintsAsGoDoes) {
  EXPECT_EQ(format_rfc3339({1668583602, 618327645}), "2022-11-16T07:26:42.618327645Z");
  EXPECT_EQ(format_rfc3339({1668583602, 618300000}), "2022-11-16T07:26:42.6183Z");
  EXPECT_EQ(format_rfc3339({1668583602, 0}), "2022-11-16T07:26:42Z");
  EXPECT_EQ(format_rfc3339({-1, 5}), "1969-12-31T23:59:59.000000005Z");
  EXPECT_EQ(format_rfc3339({-62135596800, 0}), "0001-01-01T00:00:00Z");
}

TEST(Rfc3339, NowSurvivesTheRoundTrip) {
  const Timestamp time = now();
  EXPECT_GT(time.seconds, 1'600'000'000);
  EXPECT_EQ(parse_rfc3339(format_rfc3339(time)), time);
}

std::string ago(std::int64_t seconds) {
  return format_ago({0, 0}, {seconds, 0});
}

TEST(FormatAgo, SaysItAsPodmanDoes) {
  constexpr std::int64_t k_minute = 60;
  constexpr std::int64_t k_hour = 3600;
  constexpr std::int64_t k_day = 24 * k_hour;
  EXPECT_EQ(ago(-100), "Less than a second ago");
  EXPECT_EQ(ago(0), "Less than a second ago");
  EXPECT_EQ(ago(1), "1 second ago");
  EXPECT_EQ(ago(59), "59 seconds ago");
  EXPECT_EQ(ago(60), "About a minute ago");
  EXPECT_EQ(ago(119), "About a minute ago");
  EXPECT_EQ(ago(120), "2 minutes ago");
  EXPECT_EQ(ago(59 * k_minute + 59), "59 minutes ago");
  EXPECT_EQ(ago(k_hour), "About an hour ago");
  EXPECT_EQ(ago(89 * k_minute), "About an hour ago");
  EXPECT_EQ(ago(90 * k_minute), "2 hours ago");
  EXPECT_EQ(ago(3 * k_hour), "3 hours ago");
  EXPECT_EQ(ago(47 * k_hour), "47 hours ago");
  EXPECT_EQ(ago(2 * k_day), "2 days ago");
  EXPECT_EQ(ago(13 * k_day), "13 days ago");
  EXPECT_EQ(ago(14 * k_day), "2 weeks ago");
  EXPECT_EQ(ago(59 * k_day), "8 weeks ago");
  EXPECT_EQ(ago(60 * k_day), "2 months ago");
  EXPECT_EQ(ago(729 * k_day), "24 months ago");
  EXPECT_EQ(ago(730 * k_day), "2 years ago");
  EXPECT_EQ(ago(1000 * 365 * k_day), "292 years ago");
}

TEST(FormatAgo, CountsFractionsAndSurvivesExtremes) {
  EXPECT_EQ(format_ago({10, 500}, {11, 0}), "Less than a second ago");
  EXPECT_EQ(format_ago({10, 500}, {11, 500}), "1 second ago");
  constexpr auto k_max = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(format_ago({-k_max, 0}, {k_max, 0}), "292 years ago");
  EXPECT_EQ(format_ago({k_max, 0}, {-k_max, 0}), "Less than a second ago");
}

}  // namespace
}  // namespace lade
