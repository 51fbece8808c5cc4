#include "runner/users.hpp"

#include "runner/cannot_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lade::runner {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* k_passwd =
    "# comment\n"
    "root:x:0:0:root:/root:/bin/sh\n"
    "broken:x:zero:0::/:/bin/sh\n"
    "alice:x:1000:1001:Alice:/home/alice:/bin/sh\n"
    "42:x:7:7::/seven:/bin/sh\n"
    "homeless:x:8:8";
constexpr const char* k_group =
    "root:x:0:\n"
    "wheel:x:10:root,alice\n"
    "staff:x:50:alice\n"
    "again:x:50:alice\n"
    "bad:x:-1:alice\n";

ResolvedUser resolve(const char* text) {
  return resolve_user(text, k_passwd, k_group);
}

TEST(ResolveUser, NamesComeWithTheirGroupsAndHome) {
  const ResolvedUser user = resolve("alice");
  EXPECT_EQ(user.uid, 1000U);
  EXPECT_EQ(user.gid, 1001U);
  EXPECT_THAT(user.groups, ElementsAre(10, 50));
  EXPECT_EQ(user.home, "/home/alice");
}

TEST(ResolveUser, NobodyGivenIsRoot) {
  const ResolvedUser user = resolve("");
  EXPECT_EQ(user.uid, 0U);
  EXPECT_THAT(user.groups, ElementsAre(10));
  EXPECT_EQ(user.home, "/root");
}

TEST(ResolveUser, NumbersNeedNoEntryButUseIt) {
  EXPECT_EQ(resolve("1000").gid, 1001U);
  EXPECT_EQ(resolve("1000").home, "/home/alice");
  const ResolvedUser unknown = resolve("4242");
  EXPECT_EQ(unknown.uid, 4242U);
  EXPECT_EQ(unknown.gid, 0U);
  EXPECT_EQ(unknown.home, "/");
  EXPECT_THAT(unknown.groups, IsEmpty());
}

TEST(ResolveUser, ANameOfDigitsIsANameFirst) {
  EXPECT_EQ(resolve("42").uid, 7U);
}

TEST(ResolveUser, AGivenGroupReplacesAllOthers) {
  const ResolvedUser user = resolve("alice:wheel");
  EXPECT_EQ(user.gid, 10U);
  EXPECT_THAT(user.groups, IsEmpty());
  EXPECT_EQ(resolve("alice:77").gid, 77U);
  EXPECT_EQ(resolve("1000:1000").gid, 1000U);
}

TEST(ResolveUser, WorksWithoutFiles) {
  EXPECT_EQ(resolve_user("", "", "").uid, 0U);
  EXPECT_EQ(resolve_user("1:2", "", "").gid, 2U);
}

class BadUser : public ::testing::TestWithParam<const char*> {};

// Each of these has made some engine run a container as the wrong user.
TEST_P(BadUser, IsRefused) {
  try {
    resolve(GetParam());
    FAIL() << "accepted " << GetParam();
  } catch (const CannotRun& error) {
    EXPECT_EQ(error.exit_code(), 126);
  }
}

INSTANTIATE_TEST_SUITE_P(Texts, BadUser,
                         ::testing::Values("1000:", ":1000", ":", "0x0", " 0x0", " 1", "1 ", "-1",
                                           "+1", "4294967295", "4294967296", "99999999999999999999",
                                           "1000abc", "nobody", "broken", "alice:nogroup",
                                           "alice:-1", "1000:4294967295", "alice:bad"));

}  // namespace
}  // namespace lade::runner
