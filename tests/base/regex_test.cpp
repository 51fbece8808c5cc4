#include "base/regex.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lade {
namespace {

TEST(Regex, MatchesAnywhereUnlessAnchored) {
  EXPECT_TRUE(Regex::compile("13").matches("1.13.2"));
  EXPECT_FALSE(Regex::compile("^13").matches("1.13.2"));
  EXPECT_TRUE(Regex::compile("").matches("anything"));
  const Regex nginx = Regex::compile(R"(^1\.13\.[12]-alpine-perl$)");
  EXPECT_TRUE(nginx.matches("1.13.1-alpine-perl"));
  EXPECT_FALSE(nginx.matches("1.13.3-alpine-perl"));
  EXPECT_FALSE(nginx.matches("1x13.1-alpine-perl"));
}

TEST(Regex, FollowsRe2Syntax) {
  EXPECT_TRUE(Regex::compile(R"((?i)ALPINE\d{2}\b)").matches("x-alpine12"));
  EXPECT_EQ(Regex::compile("a|b").expression(), "a|b");
}

TEST(Regex, RefusesWhatGoRefuses) {
  for (const char* wrong : {"(", "a**", "(?=look)", R"(\1)", "[z-a]"}) {
    try {
      Regex::compile(wrong);
      ADD_FAILURE() << wrong << " was taken";
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find("regular expression `"), std::string::npos);
    }
  }
  EXPECT_THROW(Regex::compile(std::string(100'000, 'a')), UsageError);
}

TEST(Regex, IsLinearOnHostileExpressions) {
  const Regex hostile = Regex::compile("(a*)*(a*)*(a*)*b$");
  EXPECT_FALSE(hostile.matches(std::string(20'000, 'a')));
}

}  // namespace
}  // namespace lade
