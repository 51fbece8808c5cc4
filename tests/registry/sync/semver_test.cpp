// The expected answers are those that Masterminds/semver 3.5 gave for the same questions.
#include "registry/sync/semver.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace lade::registry {
namespace {

std::string described(std::string_view text) {
  const auto version = Version::parse(text);
  return version ? str(version->major, '.', version->minor, '.', version->patch, ' ',
                       version->prerelease)
                 : "none";
}

TEST(Version, ReadsTagsAsPeopleWriteThem) {
  EXPECT_EQ(described("1.2.3"), "1.2.3 ");
  EXPECT_EQ(described("v1.2"), "1.2.0 ");
  EXPECT_EQ(described("20230101"), "20230101.0.0 ");
  EXPECT_EQ(described("22.04"), "22.4.0 ");
  EXPECT_EQ(described("3.12-alpine"), "3.12.0 alpine");
  EXPECT_EQ(described("1.2.3-rc.1+build.5"), "1.2.3 rc.1");
  for (const char* text : {"latest", "", "v", "V1", "1.2.3.4", "1.2.", "1.2.3-", "1.2.3-a..b",
                           "1.2.3-01", "1.2.3+", "-1", "99999999999999999999"}) {
    EXPECT_EQ(described(text), "none") << text;
  }
}

TEST(Version, IsOrderedByPrecedence) {
  const std::vector<std::string> ascending{"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
                                           "1.0.0-beta",  "1.0.0-beta.2",  "1.0.0-beta.11",
                                           "1.0.0-rc.1",  "1.0.0",         "1.2",
                                           "1.10",        "2.0.0"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(compare(*Version::parse(ascending[i]), *Version::parse(ascending[j])), i <=> j)
          << ascending[i] << " and " << ascending[j];
    }
  }
  EXPECT_EQ(compare(*Version::parse("1.0+a"), *Version::parse("1.0.0+b")),
            std::strong_ordering::equal);
}

struct Case {
  const char* constraint;
  const char* allowed;  ///< of k_versions
};

constexpr const char* k_versions =
    "0.0.3 0.0.4 0.2.3 0.3.0 1 1.2.3-rc.1 1.2.3 1.2.4 1.3.0 1.4.5 2.0.0-rc.1 2 3.12.0 11.1";

class Constraints : public testing::TestWithParam<Case> {};

TEST_P(Constraints, AllowWhatMastermindsAllows) {
  const auto constraint = VersionConstraint::parse(GetParam().constraint);
  std::vector<std::string> allowed;
  for (const std::string& text : split(k_versions, ' ')) {
    if (constraint.allows(*Version::parse(text))) allowed.push_back(text);
  }
  EXPECT_EQ(join(allowed, " "), GetParam().allowed) << GetParam().constraint;
}

INSTANTIATE_TEST_SUITE_P(
    Table, Constraints,
    testing::Values(
        Case{"*", "0.0.3 0.0.4 0.2.3 0.3.0 1 1.2.3 1.2.4 1.3.0 1.4.5 2 3.12.0 11.1"},
        Case{"1", "1 1.2.3 1.2.4 1.3.0 1.4.5"}, Case{"1.x", "1 1.2.3 1.2.4 1.3.0 1.4.5"},
        Case{"1.2", "1.2.3 1.2.4"}, Case{"=1.2.3", "1.2.3"},
        Case{"!=1", "0.0.3 0.0.4 0.2.3 0.3.0 2 3.12.0 11.1"},
        Case{"!= 1.2.3", "0.0.3 0.0.4 0.2.3 0.3.0 1 1.2.4 1.3.0 1.4.5 2 3.12.0 11.1"},
        Case{">1", "2 3.12.0 11.1"}, Case{">1.2", "1.3.0 1.4.5 2 3.12.0 11.1"},
        Case{">= 3.12.0", "3.12.0 11.1"}, Case{"<1.2", "0.0.3 0.0.4 0.2.3 0.3.0 1"},
        Case{"<=1", "0.0.3 0.0.4 0.2.3 0.3.0 1 1.2.3 1.2.4 1.3.0 1.4.5"},
        Case{"~1.2", "1.2.3 1.2.4"}, Case{"~1", "1 1.2.3 1.2.4 1.3.0 1.4.5"},
        Case{"~>1.2.4", "1.2.4"}, Case{"^1", "1 1.2.3 1.2.4 1.3.0 1.4.5"},
        Case{"^1.2.4", "1.2.4 1.3.0 1.4.5"}, Case{"^0.2.3", "0.2.3"}, Case{"^0.0.3", "0.0.3"},
        Case{"^0", "0.0.3 0.0.4 0.2.3 0.3.0"}, Case{">=1.2, <2", "1.2.3 1.2.4 1.3.0 1.4.5"},
        Case{">=1.2 <2 || >=11", "1.2.3 1.2.4 1.3.0 1.4.5 11.1"},
        Case{"1.2 - 1.4", "1.2.3 1.2.4 1.3.0 1.4.5"}, Case{"1.2.3 - 1.3", "1.2.3 1.2.4 1.3.0"},
        Case{">=1.2.3-0", "1.2.3-rc.1 1.2.3 1.2.4 1.3.0 1.4.5 2.0.0-rc.1 2 3.12.0 11.1"},
        Case{">=1.2-rc <2", "1.2.3-rc.1 1.2.3 1.2.4 1.3.0 1.4.5 2.0.0-rc.1"}));

TEST(VersionConstraint, RefusesWhatIsNone) {
  for (const char* text : {"", "foo", ">", "1.2.3foo", "1.2.3.4", ">=1.2.3,", "||", "1||",
                           "1.2.3 -1.4.5", ">=1.0.0<2", ">1, ,<2"}) {
    EXPECT_THROW(VersionConstraint::parse(text), UsageError) << text;
  }
}

}  // namespace
}  // namespace lade::registry
