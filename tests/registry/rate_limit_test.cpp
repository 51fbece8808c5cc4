#include "registry/rate_limit.hpp"

#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>

namespace lade::registry {
namespace {

using std::chrono::seconds;
using test::error_reply;
using test::FakeRegistry;
using test::HttpReply;

RateLimit parsed(const std::vector<std::pair<std::string, std::string>>& fields) {
  Headers headers;
  for (const auto& [name, value] : fields) headers.add(name, value);
  return parse_rate_limit(headers);
}

TEST(RateLimit, ReadsDockerHubs) {
  EXPECT_EQ(parsed({{"ratelimit-limit", "100;w=21600"},
                    {"ratelimit-remaining", "76;w=21600"},
                    {"docker-ratelimit-source", "192.0.2.1"}}),
            (RateLimit{100, 76, seconds(21600), "192.0.2.1"}));
}

TEST(RateLimit, ReadsOtherForms) {
  EXPECT_EQ(parsed({{"RateLimit-Limit", "10, 10;w=1, 50;w=60"}, {"RateLimit-Remaining", " 9 "}}),
            (RateLimit{10, 9, seconds(1), ""}));
  EXPECT_EQ(parsed({{"X-RateLimit-Limit", "60"}, {"X-RateLimit-Remaining", "0"}}),
            (RateLimit{60, 0, std::nullopt, ""}));
}

TEST(RateLimit, WhatIsMalformedIsNotStated) {
  for (const char* text : {"", "many", "-1", "1e3", ";w=5", "99999999999999999999"}) {
    EXPECT_FALSE(parsed({{"RateLimit-Limit", text}}).is_stated()) << text;
  }
  EXPECT_FALSE(parsed({}).is_stated());
}

class RateLimitRequest : public testing::Test {
 protected:
  RateLimitRequest() { fake_.add_image("app", "1", "{}", {}); }
  void limited(HttpReply& reply) const {
    reply.header("RateLimit-Limit", "100;w=60").header("RateLimit-Remaining", "0;w=60");
  }

  FakeRegistry fake_;
  Repository repository_{fake_.reference("app"), fake_options()};
};

TEST_F(RateLimitRequest, CostsNoPull) {
  fake_.alter("/manifests/", [this](HttpReply& reply) { limited(reply); });
  EXPECT_EQ(repository_.rate_limit("1"), (RateLimit{100, 0, seconds(60), ""}));
  const auto asked = fake_.requests_for("/manifests/");
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].method, "HEAD");
}

TEST_F(RateLimitRequest, WhoHasNoneLeftIsToldSo) {
  fake_.alter("/manifests/", [this](HttpReply& reply) {
    reply.status = 429;
    limited(reply);
  });
  EXPECT_EQ(repository_.rate_limit("1").remaining, 0u);
  fake_.script("/manifests/", error_reply(429, "TOOMANYREQUESTS", "slow down"));
  EXPECT_THROW(repository_.rate_limit("1"), HttpError) << "another limit than that of pulls";
}

TEST_F(RateLimitRequest, WithoutALimitNothingIsStated) {
  EXPECT_FALSE(repository_.rate_limit("1").is_stated());
  EXPECT_THROW(repository_.rate_limit("2"), NotFound);
}

}  // namespace
}  // namespace lade::registry
