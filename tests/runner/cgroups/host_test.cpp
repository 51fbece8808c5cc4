#include "runner/cgroups/host.hpp"

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
  EXPECT_THAT(found[0].controllers, ElementsAre("cpu", "cpuacct"));
  EXPECT_EQ(found[0].version, 1);
  EXPECT_THAT(found[1].controllers, ElementsAre("name=systemd"));
  EXPECT_EQ(found[2].name, "unified");
  EXPECT_EQ(found[2].version, 2);
  EXPECT_THAT(found[2].controllers, IsEmpty());
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
  EXPECT_THAT(found[0].controllers, ElementsAre("memory"));
}

TEST(ParseCgroupMounts, SurvivesNonsense) {
  EXPECT_THAT(parse_cgroup_mounts(""), IsEmpty());
  EXPECT_THAT(parse_cgroup_mounts("a - b\n - \nx y z - cgroup\n"), IsEmpty());
}

TEST(ParseCgroupHost, TellsTheKindsOfHostsApart) {
  const std::string v1 = "1 2 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
  const std::string beside = "2 2 0:2 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(parse_cgroup_host("", "", "").mode, CgroupMode::none);
  EXPECT_EQ(parse_cgroup_host(v1, "", "").mode, CgroupMode::v1);
  EXPECT_EQ(parse_cgroup_host(v1 + beside, "", "").mode, CgroupMode::hybrid);
  EXPECT_EQ(parse_cgroup_host("1 2 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "", "").mode,
            CgroupMode::v2);
}

TEST(ParseCgroupHost, KnowsWhereEachControllerIs) {
  const CgroupHost host = parse_cgroup_host(
      "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
      "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
      "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
      "9:name=systemd:/user.slice\n4:memory:/a/b\n1:cpuacct,cpu:/\n0::/init.scope\n",
      "hugetlb misc\n");
  ASSERT_EQ(host.hierarchies.size(), 4U);
  EXPECT_EQ(host.hierarchies[0].own, "/");
  EXPECT_EQ(host.hierarchies[1].own, "/a/b");
  EXPECT_EQ(host.hierarchies[2].own, "/user.slice");
  EXPECT_EQ(host.hierarchies[3].own, "/init.scope");
  ASSERT_NE(host.find_controller("cpuacct"), nullptr);
  EXPECT_EQ(host.find_controller("cpuacct")->mount_point, "/sys/fs/cgroup/cpu,cpuacct");
  ASSERT_NE(host.find_controller("hugetlb"), nullptr);
  EXPECT_EQ(host.find_controller("hugetlb")->version, 2);
  EXPECT_EQ(host.find_controller("misc"), host.find_unified());
  EXPECT_EQ(host.find_controller("net_cls"), nullptr);
}

TEST(ParseCgroupHost, KnowsItsPlaceWithinAContainer) {
  // Version 1 without a cgroup namespace: the mounts show the container's part only.
  const CgroupHost v1 = parse_cgroup_host(
      "9 8 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
      "9 8 0:33 /docker/abc /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n"
      "9 8 0:34 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n",
      "4:memory:/docker/abc\n3:pids:/docker/abc/inner\n2:cpu:/docker/abcdef\n", "");
  EXPECT_EQ(v1.hierarchies[0].own, "/");
  EXPECT_EQ(v1.hierarchies[1].own, "/inner");
  EXPECT_EQ(v1.hierarchies[2].own, "") << "a sibling with a longer name is not below";
  // Version 2 with one.
  const CgroupHost v2 =
      parse_cgroup_host("9 8 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw,nsdelegate\n",
                        "0::/\n", "cpuset cpu io memory pids\n");
  EXPECT_EQ(v2.hierarchies[0].own, "/");
  EXPECT_EQ(v2.find_controller("io"), v2.find_unified());
}

}  // namespace
}  // namespace lade::runner
