#include "cli/transfer.hpp"

#include "base/error.hpp"
#include "cli/parse.hpp"

#include <gtest/gtest.h>

namespace lade::cli {
namespace {

using std::chrono::milliseconds;

TEST(Transfer, TakesRates) {
  EXPECT_EQ(parse_rate("1"), 1U);
  EXPECT_EQ(parse_rate("500k"), 500U * 1024);
  EXPECT_EQ(parse_rate("2M"), 2U * 1024 * 1024);
  EXPECT_EQ(parse_rate("1G"), 1U << 30);
  for (const char* text :
       {"", "0", "k", "-1", "1.5M", "1x", "1kk", "99999999999999999999", "1 k", "9999999999G"}) {
    EXPECT_THROW(parse_rate(text), UsageError) << text;
  }
}

TEST(Transfer, TakesDelays) {
  EXPECT_EQ(parse_delay("0"), milliseconds(0));
  EXPECT_EQ(parse_delay("3"), milliseconds(3000));
  EXPECT_EQ(parse_delay("500ms"), milliseconds(500));
  EXPECT_EQ(parse_delay("1m30s"), milliseconds(90'000));
  for (const char* text : {"", "s", "-1s", "1d", "1s2", "25h", "1.5s", "99999999999999999999s"}) {
    EXPECT_THROW(parse_delay(text), UsageError) << text;
  }
}

TEST(Transfer, FlagsBecomeAPolicy) {
  const auto pull = std::get<PullArguments>(
      parse({"pull", "--retry-times", "5", "--retry-delay=2s", "--limit-rate", "1M", "x"})
          .arguments);
  NullObserver observer;
  const registry::RetryPolicy policy = retry_policy(pull.transfer, observer);
  EXPECT_EQ(policy.attempts, 6);
  EXPECT_EQ(policy.first_delay, milliseconds(2000));
  EXPECT_EQ(policy.backoff, registry::Backoff::fixed);
  EXPECT_EQ(pull.transfer.limit_rate, 1U << 20);
  EXPECT_EQ(make_rate_limiter(pull.transfer)->piece(), (1U << 20) / 10);
  EXPECT_EQ(retry_policy({}, observer).attempts, 3);
  EXPECT_FALSE(make_rate_limiter({}));
  const auto run = std::get<RunArguments>(
      parse({"run", "--limit-rate", "64k", "--retry-times=0", "x"}).arguments);
  EXPECT_EQ(run.transfer.limit_rate, 64U * 1024);
  EXPECT_EQ(run.transfer.retry_times, 0);
}

}  // namespace
}  // namespace lade::cli
