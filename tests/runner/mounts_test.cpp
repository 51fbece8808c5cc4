#include "runner/mount_cgroups.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lade::runner {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ParseCgroupMounts, FindsTheHierarchiesOfAHybridHost) {
  const auto found = parse_cgroup_mounts(
      "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,xattr,cpu,cpuacct\n"
      "40 31 0:37 / /sys/fs/cgroup/systemd rw shared:4 - cgroup cgroup rw,name=systemd\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n"
      "42 31 0:39 / /elsewhere rw - cgroup cgroup rw,memory\n"
      "43 31 0:39 / /sys/fs/cgroup/a/b rw - cgroup cgroup rw,memory\n");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].name, "cpu,cpuacct");
  EXPECT_THAT(found[0].options, ElementsAre("cpu", "cpuacct"));
  EXPECT_EQ(found[0].version, 1);
  EXPECT_THAT(found[1].options, ElementsAre("name=systemd"));
  EXPECT_EQ(found[2].name, "unified");
  EXPECT_EQ(found[2].version, 2);
  EXPECT_THAT(found[2].options, IsEmpty());
}

TEST(ParseCgroupMounts, FindsTheOneHierarchyOfAModernHost) {
  const auto found =
      parse_cgroup_mounts("31 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "");
  EXPECT_EQ(found[0].version, 2);
}

TEST(ParseCgroupMounts, SeesTheLastMountOnAPlace) {
  const auto found = parse_cgroup_mounts(
      "1 2 0:1 / /sys/fs/cgroup/x rw - cgroup cgroup rw,cpu\n"
      "2 2 0:2 / /sys/fs/cgroup/x rw - cgroup cgroup rw,memory\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].options, ElementsAre("memory"));
}

TEST(ParseCgroupMounts, SurvivesNonsense) {
  EXPECT_THAT(parse_cgroup_mounts(""), IsEmpty());
  EXPECT_THAT(parse_cgroup_mounts("a - b\n - \nx y z - cgroup\n"), IsEmpty());
}

}  // namespace
}  // namespace lade::runner
