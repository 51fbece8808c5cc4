#include "runner/cgroups/settings.hpp"

#include "base/error.hpp"
#include "tests/runner/cgroups/hosts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lade::runner {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::host_with;
using ::testing::IsEmpty;
using testing::lines;
using testing::v1_host;
using testing::v2_host;

constexpr std::int64_t k_mib = 1024 * 1024;

std::vector<std::string> on_v1(const SpecResources& resources, const CgroupPresent& present = {}) {
  const CgroupChange change = convert_resources(resources, v1_host(), present);
  EXPECT_THAT(change.warnings, IsEmpty());
  return lines(change);
}

std::vector<std::string> on_v2(const SpecResources& resources, const CgroupPresent& present = {}) {
  const CgroupChange change = convert_resources(resources, v2_host(), present);
  EXPECT_THAT(change.warnings, IsEmpty());
  return lines(change);
}

TEST(CgroupSettings, AreNoneForNothing) {
  EXPECT_THAT(on_v1({}), IsEmpty());
  EXPECT_THAT(on_v2({}), IsEmpty());
  EXPECT_THAT(lines(convert_resources({}, CgroupHost{})), IsEmpty());
  // As engines say it that fill in every field.
  SpecResources zeros;
  zeros.memory = {.limit = 0, .reservation = 0, .swap = 0, .kernel = 0, .kernel_tcp = 0};
  zeros.cpu.shares = 0;
  zeros.cpu.quota = 0;
  zeros.cpu.period = 0;
  zeros.block_io.weight = 0;
  EXPECT_THAT(lines(convert_resources(zeros, CgroupHost{})), IsEmpty());
}

TEST(CgroupSettings, TurnSharesIntoWeights) {
  EXPECT_EQ(weight_of_shares(0), 1U);
  EXPECT_EQ(weight_of_shares(2), 1U);
  EXPECT_EQ(weight_of_shares(1024), 100U);
  EXPECT_EQ(weight_of_shares(262'144), 10'000U);
  EXPECT_EQ(weight_of_shares(~0ULL), 10'000U);
  for (std::uint64_t shares = 3; shares < 262'144; shares += 97) {
    EXPECT_LE(weight_of_shares(shares), weight_of_shares(shares + 97));
  }
  SpecResources resources;
  resources.cpu.shares = 512;
  EXPECT_THAT(on_v1(resources), ElementsAre("cpu.shares=512"));
  EXPECT_THAT(on_v2(resources), ElementsAre("cpu.weight=59"));
  resources.cpu.shares = 1;
  const CgroupChange change = convert_resources(resources, v1_host());
  EXPECT_THAT(lines(change), ElementsAre("cpu.shares=2"));
  EXPECT_THAT(change.warnings, ElementsAre(HasSubstr("cpu.shares")));
}

TEST(CgroupSettings, LimitMemoryAndSwap) {
  SpecResources resources;
  resources.memory.limit = 64 * k_mib;
  resources.memory.swap = 96 * k_mib;
  resources.memory.reservation = 32 * k_mib;
  EXPECT_THAT(on_v1(resources),
              ElementsAre("memory.limit_in_bytes=67108864", "memory.memsw.limit_in_bytes=100663296",
                          "memory.soft_limit_in_bytes=33554432"));
  EXPECT_THAT(on_v2(resources), ElementsAre("memory.swap.max=33554432", "memory.max=67108864",
                                            "memory.low=33554432"));
}

TEST(CgroupSettings, LimitMemoryWithoutSwap) {
  SpecResources resources;
  resources.memory.limit = k_mib;
  resources.memory.swap = k_mib;
  EXPECT_THAT(on_v2(resources), ElementsAre("!memory.swap.max=0", "memory.max=1048576"));
}

TEST(CgroupSettings, TakeLimitsAway) {
  SpecResources resources;
  resources.memory.limit = -1;
  EXPECT_THAT(on_v1(resources),
              ElementsAre("?memory.memsw.limit_in_bytes=-1", "memory.limit_in_bytes=-1"));
  EXPECT_THAT(on_v2(resources), ElementsAre("?memory.swap.max=max", "memory.max=max"));
  resources.memory.limit = k_mib;
  resources.memory.swap = -1;
  EXPECT_THAT(on_v1(resources),
              ElementsAre("memory.memsw.limit_in_bytes=-1", "memory.limit_in_bytes=1048576"));
  EXPECT_THAT(on_v2(resources), ElementsAre("?memory.swap.max=max", "memory.max=1048576"));
}

TEST(CgroupSettings, KeepSwapAboveMemoryAtEveryMoment) {
  SpecResources resources;
  resources.memory.limit = 300;
  resources.memory.swap = 400;
  // Up: from 100 and 200.
  EXPECT_THAT(on_v1(resources, {.memory_limit = 100}),
              ElementsAre("memory.memsw.limit_in_bytes=400", "memory.limit_in_bytes=300"));
  // Down: from 900 and more.
  EXPECT_THAT(on_v1(resources, {.memory_limit = 900}),
              ElementsAre("memory.limit_in_bytes=300", "memory.memsw.limit_in_bytes=400"));
}

TEST(CgroupSettings, RefuseSwapThatContradictsMemory) {
  const auto refused = [](const SpecMemory& memory, const CgroupPresent& present = {}) {
    SpecResources resources;
    resources.memory = memory;
    EXPECT_THROW(convert_resources(resources, v1_host(), present), InvalidData);
    EXPECT_THROW(convert_resources(resources, v2_host(), present), InvalidData);
  };
  refused({.swap = 100});
  refused({.limit = -1, .swap = 100});
  refused({.limit = 200, .swap = 100});
  refused({.limit = -2});
  refused({.limit = 100, .swap = -2});
  refused({.swap = 100}, {.memory_limit = 200});
  refused({.limit = 100, .swappiness = 101});
}

TEST(CgroupSettings, ChangeSwapAloneByTheLimitInForce) {
  SpecResources resources;
  resources.memory.swap = 300;
  EXPECT_THAT(on_v1(resources, {.memory_limit = 100}),
              ElementsAre("memory.memsw.limit_in_bytes=300"));
  EXPECT_THAT(on_v2(resources, {.memory_limit = 100}), ElementsAre("memory.swap.max=200"));
}

TEST(CgroupSettings, CheckUsageBeforeAnUpdateIfAsked) {
  SpecResources resources;
  resources.memory.limit = 100;
  EXPECT_NO_THROW(convert_resources(resources, v2_host(), {.memory_usage = 200}));
  resources.memory.check_before_update = true;
  EXPECT_THROW(convert_resources(resources, v1_host(), {.memory_usage = 200}), Error);
  EXPECT_THROW(convert_resources(resources, v2_host(), {.memory_usage = 200}), Error);
  EXPECT_NO_THROW(convert_resources(resources, v2_host(), {.memory_usage = 100}));
}

TEST(CgroupSettings, SayWhatOfMemoryIsLost) {
  SpecResources resources;
  resources.memory.kernel = 100;
  resources.memory.kernel_tcp = 100;
  resources.memory.swappiness = 10;
  resources.memory.disable_oom_killer = true;
  resources.memory.use_hierarchy = false;
  const CgroupChange v1 = convert_resources(resources, v1_host());
  EXPECT_THAT(v1.warnings,
              ElementsAre(HasSubstr("memory.kernel:"), HasSubstr("memory.useHierarchy:")));
  EXPECT_THAT(lines(v1), ElementsAre("!memory.kmem.tcp.limit_in_bytes=100", "memory.swappiness=10",
                                     "memory.oom_control=1"));
  const CgroupChange v2 = convert_resources(resources, v2_host());
  EXPECT_THAT(v2.warnings,
              ElementsAre(HasSubstr("memory.kernel:"), HasSubstr("memory.useHierarchy:"),
                          HasSubstr("memory.kernelTCP:"), HasSubstr("memory.swappiness:"),
                          HasSubstr("memory.disableOOMKiller:")));
  EXPECT_THAT(lines(v2), IsEmpty());
}

TEST(CgroupSettings, LimitBandwidth) {
  SpecResources resources;
  resources.cpu.quota = 50'000;
  resources.cpu.period = 100'000;
  resources.cpu.burst = 10'000;
  EXPECT_THAT(on_v1(resources), ElementsAre("~cpu.cfs_period_us=100000", "~cpu.cfs_quota_us=50000",
                                            "~cpu.cfs_burst_us=10000"));
  EXPECT_THAT(on_v2(resources), ElementsAre("~cpu.max=50000 100000", "~cpu.max.burst=10000"));
  resources.cpu = {.quota = -1};
  EXPECT_THAT(on_v1(resources), ElementsAre("~cpu.cfs_quota_us=-1"));
  EXPECT_THAT(on_v2(resources), ElementsAre("~cpu.max=max"));
  resources.cpu = {.period = 200'000};
  EXPECT_THAT(on_v1(resources), ElementsAre("~cpu.cfs_period_us=200000"));
  EXPECT_THAT(on_v2(resources), ElementsAre("~cpu.max=max 200000"));
  EXPECT_THAT(on_v2(resources, {.cpu_quota = "7000"}), ElementsAre("~cpu.max=7000 200000"));
}

TEST(CgroupSettings, SetSharesWhileAGroupIsNotIdle) {
  SpecResources resources;
  resources.cpu.shares = 1024;
  resources.cpu.idle = 1;
  EXPECT_THAT(on_v1(resources), ElementsAre("cpu.shares=1024", "cpu.idle=1"));
  resources.cpu.idle = 0;
  EXPECT_THAT(on_v2(resources), ElementsAre("?cpu.idle=0", "cpu.weight=100"));
}

TEST(CgroupSettings, KnowRealtimeOnVersion1Only) {
  SpecResources resources;
  resources.cpu.realtime_period = 1'000'000;
  resources.cpu.realtime_runtime = 5000;
  EXPECT_THAT(on_v1(resources),
              ElementsAre("~cpu.rt_period_us=1000000", "~cpu.rt_runtime_us=5000"));
  EXPECT_THROW(convert_resources(resources, v2_host()), InvalidData);
}

TEST(CgroupSettings, ChooseProcessors) {
  SpecResources resources;
  resources.cpu.cpus = "0-1";
  resources.cpu.mems = "0";
  EXPECT_THAT(on_v1(resources), ElementsAre("cpuset.cpus=0-1", "cpuset.mems=0"));
  EXPECT_THAT(on_v2(resources), ElementsAre("cpuset.cpus=0-1", "cpuset.mems=0"));
}

TEST(CgroupSettings, WeighBlockDevices) {
  EXPECT_EQ(io_weight_of_blkio(10), 1U);
  EXPECT_EQ(io_weight_of_blkio(1000), 10'000U);
  SpecResources resources;
  resources.block_io.weight = 500;
  resources.block_io.weight_devices = {{8, 0, 100, std::nullopt}};
  EXPECT_THAT(on_v1(resources),
              ElementsAre("blkio.weight=500 or blkio.bfq.weight=500",
                          "blkio.weight_device=8:0 100 or blkio.bfq.weight_device=8:0 100"));
  EXPECT_THAT(on_v2(resources), ElementsAre("io.bfq.weight=500 or io.weight=default 4950",
                                            "io.bfq.weight=8:0 100 or io.weight=8:0 910"));
  resources.block_io.weight = 9;
  EXPECT_THROW(convert_resources(resources, v1_host()), InvalidData);
  resources.block_io.weight = 1001;
  EXPECT_THROW(convert_resources(resources, v2_host()), InvalidData);
}

TEST(CgroupSettings, SayThatLeavesHaveNoWeightsAnyMore) {
  SpecResources resources;
  resources.block_io.leaf_weight = 100;
  EXPECT_THAT(on_v1(resources), ElementsAre("!blkio.leaf_weight=100"));
  EXPECT_THAT(convert_resources(resources, v2_host()).warnings,
              ElementsAre(HasSubstr("blockIO.leafWeight")));
}

TEST(CgroupSettings, ThrottleBlockDevices) {
  SpecResources resources;
  resources.block_io.read_bps = {{8, 0, 1000}};
  resources.block_io.write_bps = {{8, 0, 2000}};
  resources.block_io.read_iops = {{8, 1, 30}, {8, 2, 40}};
  resources.block_io.write_iops = {{8, 1, 0}};
  EXPECT_THAT(on_v1(resources), ElementsAre("blkio.throttle.read_bps_device=8:0 1000",
                                            "blkio.throttle.write_bps_device=8:0 2000",
                                            "blkio.throttle.read_iops_device=8:1 30",
                                            "blkio.throttle.read_iops_device=8:2 40",
                                            "blkio.throttle.write_iops_device=8:1 0"));
  EXPECT_THAT(on_v2(resources),
              ElementsAre("io.max=8:0 rbps=1000", "io.max=8:0 wbps=2000", "io.max=8:1 riops=30",
                          "io.max=8:2 riops=40", "io.max=8:1 wiops=max"));
  resources.block_io.read_bps = {{-1, 0, 1000}};
  EXPECT_THROW(convert_resources(resources, v1_host()), InvalidData);
}

TEST(CgroupSettings, LimitTheRest) {
  SpecResources resources;
  resources.pids_limit = 10;
  resources.hugepages = {{"2MB", 4096}};
  resources.rdma = {{"mlx5_1", 3, 10'000}, {"mlx4_0", std::nullopt, 5}};
  EXPECT_THAT(on_v1(resources), ElementsAre("pids.max=10", "hugetlb.2MB.limit_in_bytes=4096",
                                            "?hugetlb.2MB.rsvd.limit_in_bytes=4096",
                                            "rdma.max=mlx5_1 hca_handle=3 hca_object=10000",
                                            "rdma.max=mlx4_0 hca_object=5"));
  EXPECT_THAT(
      on_v2(resources),
      ElementsAre("pids.max=10", "hugetlb.2MB.max=4096", "?hugetlb.2MB.rsvd.max=4096",
                  "rdma.max=mlx5_1 hca_handle=3 hca_object=10000", "rdma.max=mlx4_0 hca_object=5"));
  for (const std::int64_t none : {0, -1}) {
    SpecResources unlimited;
    unlimited.pids_limit = none;
    EXPECT_THAT(on_v2(unlimited), ElementsAre("pids.max=max"));
    EXPECT_THAT(lines(convert_resources(unlimited, CgroupHost{})), IsEmpty());
  }
}

TEST(CgroupSettings, RefuseNamesThatAreNone) {
  const auto refused = [](const SpecResources& resources) {
    EXPECT_THROW(convert_resources(resources, v1_host()), InvalidData);
  };
  SpecResources resources;
  resources.hugepages = {{"../2MB", 1}};
  refused(resources);
  resources.hugepages = {{"", 1}};
  refused(resources);
  resources = {};
  resources.rdma = {{"a b", 1, 1}};
  refused(resources);
  resources = {};
  resources.network.priorities = {{"eth0 1\neth1", 1}};
  refused(resources);
}

TEST(CgroupSettings, KnowNetworkClassesOnVersion1Only) {
  SpecResources resources;
  resources.network.class_id = 0x100001;
  resources.network.priorities = {{"eth0", 5}, {"lo", 1}};
  EXPECT_THAT(on_v1(resources), ElementsAre("net_cls.classid=1048577", "net_prio.ifpriomap=eth0 5",
                                            "net_prio.ifpriomap=lo 1"));
  EXPECT_THROW(convert_resources(resources, v2_host()), Error);
}

TEST(CgroupSettings, NameTheControllerThatIsMissing) {
  SpecResources resources;
  resources.memory.limit = 100;
  try {
    convert_resources(resources, host_with({"pids"}, {}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no cgroup controller `memory`"));
  }
}

TEST(CgroupSettings, GoWhereTheControllerIs) {
  // A hybrid host: memory is on version 1, hugetlb on version 2.
  const CgroupHost host = host_with({"memory"}, {"hugetlb"});
  SpecResources resources;
  resources.memory.limit = k_mib;
  resources.hugepages = {{"2MB", 4096}};
  EXPECT_THAT(lines(convert_resources(resources, host)),
              ElementsAre("hugetlb.2MB.max=4096", "?hugetlb.2MB.rsvd.max=4096",
                          "memory.limit_in_bytes=1048576"));
  EXPECT_THAT(controllers_to_enable(resources, host), ElementsAre("hugetlb"));
  EXPECT_THAT(controllers_to_enable({}, host), IsEmpty());
  EXPECT_THAT(controllers_to_enable({}, v1_host()), IsEmpty());
  EXPECT_THAT(controllers_to_enable({}, v2_host()),
              ElementsAre("cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma"));
}

TEST(CgroupSettings, WriteUnifiedFilesLast) {
  SpecResources resources;
  resources.memory.limit = k_mib;
  resources.unified = {{"memory.high", "1000"}, {"io.max", "8:0 rbps=1\n8:1 rbps=2"}};
  EXPECT_THAT(on_v2(resources), ElementsAre("memory.max=1048576", "memory.high=1000",
                                            "io.max=8:0 rbps=1", "io.max=8:1 rbps=2"));
  EXPECT_THROW(convert_resources(resources, v1_host()), Error);
}

TEST(CgroupSettings, RefuseUnifiedFilesThatAreNone) {
  for (const std::string file : {"memory", "../memory.high", "memory.high/../x", ".memory", "",
                                 "memory.high\n", "cgroup.procs", "cgroup.kill"}) {
    SpecResources resources;
    resources.unified = {{file, "1"}};
    EXPECT_THROW(convert_resources(resources, v2_host()), InvalidData) << file;
  }
  SpecResources resources;
  resources.unified = {{"dmem.max", "1"}};
  EXPECT_THROW(convert_resources(resources, v2_host()), Error);
}

}  // namespace
}  // namespace lade::runner
