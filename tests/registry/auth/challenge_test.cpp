#include "registry/auth/challenge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lade::registry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(Challenge, ReadsDockerHubs) {
  const auto challenges = parse_challenges(
      R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push")");
  ASSERT_EQ(challenges.size(), 1u);
  EXPECT_EQ(challenges[0].scheme, "bearer");
  EXPECT_THAT(challenges[0].parameters, ElementsAre(Pair("realm", "https://auth.docker.io/token"),
                                                    Pair("scope", "repository:a/b:pull,push"),
                                                    Pair("service", "registry.docker.io")));
}

TEST(Challenge, ReadsSeveralInOneField) {
  const auto challenges = parse_challenges(
      R"(Negotiate, NTLM TlRMTVNTUAAB==, Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple")");
  ASSERT_EQ(challenges.size(), 4u);
  EXPECT_EQ(challenges[0].scheme, "negotiate");
  EXPECT_THAT(challenges[0].parameters, IsEmpty());
  EXPECT_EQ(challenges[1].scheme, "ntlm");
  EXPECT_EQ(challenges[1].token68, "TlRMTVNTUAAB==");
  EXPECT_EQ(challenges[2].scheme, "newauth");
  EXPECT_EQ(challenges[2].find("type"), "1");
  EXPECT_EQ(challenges[2].find("title"), R"(Login to "apps")");
  EXPECT_EQ(challenges[3].scheme, "basic");
  EXPECT_EQ(challenges[3].find("realm"), "simple");
}

TEST(Challenge, IgnoresCaseBlanksAndEmptyElements) {
  const auto challenges =
      parse_challenges(",, bEaReR \t REALM = \"r\" , ,\tService=s,, BASIC realm=\"x\",");
  ASSERT_EQ(challenges.size(), 2u);
  EXPECT_EQ(challenges[0].scheme, "bearer");
  EXPECT_EQ(challenges[0].find("realm"), "r");
  EXPECT_EQ(challenges[0].find("service"), "s");
  EXPECT_EQ(challenges[1].find("realm"), "x");
}

TEST(Challenge, KeepsCommasAndEqualsInQuotes) {
  const auto challenges = parse_challenges(R"(Bearer realm="a,b=c, Basic realm=d", error="x\\y")");
  ASSERT_EQ(challenges.size(), 1u);
  EXPECT_EQ(challenges[0].find("realm"), "a,b=c, Basic realm=d");
  EXPECT_EQ(challenges[0].find("error"), R"(x\y)");
}

TEST(Challenge, OfTwoParametersTheFirstCounts) {
  EXPECT_EQ(parse_challenges(R"(Basic realm="a", realm="b")")[0].find("realm"), "a");
}

TEST(Challenge, KeepsWhatPrecedesAnError) {
  const auto cut = parse_challenges(R"(Basic realm="x", Bearer realm="unfinished)");
  ASSERT_EQ(cut.size(), 2u);
  EXPECT_EQ(cut[0].find("realm"), "x");
  EXPECT_FALSE(cut[1].find("realm"));
  EXPECT_THAT(parse_challenges("\"Basic\" realm=x"), IsEmpty());
  EXPECT_THAT(parse_challenges(""), IsEmpty());
  EXPECT_THAT(parse_challenges(" , ,"), IsEmpty());
}

TEST(Challenge, EndsOnAnyInput) {
  // Each prefix of a long field must be read to an end.
  const std::string field = R"(A b==, C d="e\"f", g = h , I, J k=l m, N o="p)";
  for (std::size_t size = 0; size <= field.size(); ++size) {
    EXPECT_LE(parse_challenges(field.substr(0, size)).size(), 5u);
  }
}

}  // namespace
}  // namespace lade::registry
