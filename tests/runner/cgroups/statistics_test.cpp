#include "runner/cgroups/statistics.hpp"

#include "tests/runner/cgroups/hosts.hpp"
#include "tests/runner/cgroups/real_cgroup.hpp"
#include "tests/runner/container.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>

#include <cstring>

namespace lade::runner {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using testing::k_patience;
using ::testing::Pair;
using testing::RealCgroupTest;
using testing::Scratch;
using testing::TestProcess;

using CgroupStatisticsTest = RealCgroupTest;

constexpr std::size_t k_mib = 1024 * 1024;

/// Takes memory and uses it.
void use_memory(std::size_t bytes) {
  void* const memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory != MAP_FAILED) std::memset(memory, 1, bytes);
}

TEST_F(CgroupStatisticsTest, CountWhatAProcessUses) {
  const Cgroup cgroup = Cgroup::create(host_, {path("use"), controllers_to_enable({}, host_)});
  SpecResources resources;
  if (host_.find_controller("memory") != nullptr) {
    resources.memory.limit = static_cast<std::int64_t>(64 * k_mib);
  }
  if (host_.find_controller("pids") != nullptr) resources.pids_limit = 9;
  cgroup.apply(convert_resources(resources, host_));
  Pipe ready = make_pipe();
  const TestProcess process(cgroup.entrance(), [&] {
    use_memory(8 * k_mib);
    write_all(ready.write, as_bytes("."), "ready");
  });
  std::byte byte{};
  read_some(ready.read, {&byte, 1}, "ready");
  const CgroupStatistics statistics = read_statistics(cgroup);
  ASSERT_TRUE(statistics.cpu);
  EXPECT_GT(statistics.cpu->total, 0U);
  EXPECT_LE(statistics.cpu->user, statistics.cpu->total + 1'000'000);
  if (cgroup.find_directory("cpuacct") != nullptr) {
    EXPECT_THAT(statistics.cpu->per_cpu, Contains(::testing::Gt(0U)));
  }
  if (cgroup.find_directory("memory") != nullptr) {
    ASSERT_TRUE(statistics.memory);
    EXPECT_GE(statistics.memory->memory.usage, 8 * k_mib);
    EXPECT_GE(statistics.memory->memory.most.value_or(0), 8 * k_mib);
    EXPECT_EQ(statistics.memory->memory.limit, 64 * k_mib);
    EXPECT_EQ(statistics.memory->oom_kills, 0U);
    const char* used = host_.find_controller("memory")->version == 1 ? "rss" : "anon";
    EXPECT_THAT(statistics.memory->raw, Contains(Pair(used, ::testing::Ge(8 * k_mib))));
    EXPECT_FALSE(statistics.memory->with_swap.value_or(CgroupMemoryUsage{}).limit);
  }
  if (cgroup.find_directory("pids") != nullptr) {
    ASSERT_TRUE(statistics.pids);
    EXPECT_EQ(statistics.pids->current, 1U);
    EXPECT_EQ(statistics.pids->limit, 9U);
  }
}

TEST_F(CgroupStatisticsTest, AreNoneWithoutACgroup) {
  const CgroupStatistics statistics = read_statistics(Cgroup::open(host_, path("nowhere")));
  EXPECT_FALSE(statistics.cpu);
  EXPECT_FALSE(statistics.memory);
  EXPECT_FALSE(statistics.pids);
  EXPECT_FALSE(statistics.block_io);
}

TEST_F(CgroupStatisticsTest, TellOfAKillForWantOfMemory) {
  if (host_.find_controller("memory") == nullptr) GTEST_SKIP() << "nobody counts memory";
  Cgroup cgroup = Cgroup::create(host_, {path("oom"), controllers_to_enable({}, host_)});
  SpecResources resources;
  resources.memory.limit = 4 * static_cast<std::int64_t>(k_mib);
  resources.memory.swap = 4 * static_cast<std::int64_t>(k_mib);
  cgroup.apply(convert_resources(resources, host_));
  OomWatch watch(cgroup);
  pollfd waiting{watch.fd().get(), POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 0), 0);
  TestProcess process(cgroup.entrance(), [&] { use_memory(64 * k_mib); });
  EXPECT_EQ(::poll(&waiting, 1, static_cast<int>(k_patience.count())), 1);
  EXPECT_EQ(WTERMSIG(process.wait()), SIGKILL);
  EXPECT_EQ(watch.take(), 1U);
  EXPECT_EQ(watch.take(), 0U);
  EXPECT_EQ(read_statistics(cgroup).memory->oom_kills, 1U);
  cgroup.remove(k_patience, 0);
  EXPECT_EQ(::poll(&waiting, 1, static_cast<int>(k_patience.count())), 1) << "its end is told too";
  EXPECT_FALSE(watch.take());
}

TEST(CgroupStatisticsV2, AreReadFromItsFiles) {
  Scratch scratch;
  const auto file = [&](const std::string& name, const std::string& text) {
    scratch.file("c/" + name, text);
  };
  scratch.directory("c");
  file("cpu.stat",
       "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 5\nnr_throttled 2\n"
       "throttled_usec 7\n");
  file("memory.current", "1000\n");
  file("memory.peak", "2000\n");
  file("memory.max", "5000\n");
  file("memory.swap.current", "10\n");
  file("memory.swap.max", "100\n");
  file("memory.events", "low 0\nhigh 0\nmax 4\noom 3\noom_kill 2\noom_group_kill 0\n");
  file("memory.stat", "anon 1\nfile 300\nkernel 40\n");
  file("pids.current", "3\n");
  file("pids.max", "max\n");
  file("io.stat",
       "8:0 rbytes=11 wbytes=12 rios=1 wios=2 dbytes=0 dios=0\n253:1 rbytes=5 wbytes=6 rios=7 "
       "wios=8 dbytes=9 dios=10\nnonsense\n");
  file("hugetlb.2MB.current", "4096\n");
  file("hugetlb.2MB.events", "max 6\n");
  file("hugetlb.2MB.rsvd.current", "1\n");
  file("rdma.current", "mlx4_0 hca_handle=1 hca_object=20\n");
  file("rdma.max", "mlx4_0 hca_handle=2 hca_object=max\n");
  CgroupHost host = testing::v2_host();
  host.hierarchies[0].mount_point = scratch.path();
  const CgroupStatistics statistics = read_statistics(Cgroup::open(host, "/c"));
  ASSERT_TRUE(statistics.cpu);
  EXPECT_EQ(statistics.cpu->total, 30'000U);
  EXPECT_EQ(statistics.cpu->user, 20'000U);
  EXPECT_EQ(statistics.cpu->system, 10'000U);
  EXPECT_EQ(statistics.cpu->periods, 5U);
  EXPECT_EQ(statistics.cpu->throttled_periods, 2U);
  EXPECT_EQ(statistics.cpu->throttled_time, 7'000U);
  ASSERT_TRUE(statistics.memory);
  EXPECT_EQ(statistics.memory->memory.usage, 1000U);
  EXPECT_EQ(statistics.memory->memory.most, 2000U);
  EXPECT_EQ(statistics.memory->memory.limit, 5000U);
  EXPECT_EQ(statistics.memory->memory.failures, 4U);
  ASSERT_TRUE(statistics.memory->with_swap);
  EXPECT_EQ(statistics.memory->with_swap->usage, 1010U);
  EXPECT_EQ(statistics.memory->with_swap->limit, 5100U);
  ASSERT_TRUE(statistics.memory->kernel);
  EXPECT_EQ(statistics.memory->kernel->usage, 40U);
  EXPECT_EQ(statistics.memory->cache, 300U);
  EXPECT_EQ(statistics.memory->oom_kills, 2U);
  ASSERT_TRUE(statistics.pids);
  EXPECT_EQ(statistics.pids->current, 3U);
  EXPECT_FALSE(statistics.pids->limit);
  ASSERT_TRUE(statistics.block_io);
  ASSERT_EQ(statistics.block_io->bytes.size(), 6U);
  EXPECT_EQ(statistics.block_io->bytes[1].operation, "Write");
  EXPECT_EQ(statistics.block_io->bytes[1].value, 12U);
  EXPECT_EQ(statistics.block_io->operations[5].major, 253U);
  EXPECT_EQ(statistics.block_io->operations[5].operation, "Discard");
  EXPECT_EQ(statistics.block_io->operations[5].value, 10U);
  ASSERT_EQ(statistics.hugepages.size(), 1U);
  EXPECT_EQ(statistics.hugepages[0].page_size, "2MB");
  EXPECT_EQ(statistics.hugepages[0].usage, 4096U);
  EXPECT_EQ(statistics.hugepages[0].failures, 6U);
  ASSERT_EQ(statistics.rdma_limits.size(), 1U);
  EXPECT_EQ(statistics.rdma_current[0].hca_objects, 20U);
  EXPECT_EQ(statistics.rdma_limits[0].hca_handles, 2U);
  EXPECT_FALSE(statistics.rdma_limits[0].hca_objects);
}

TEST(CgroupStatisticsV1, KnowBlockDevices) {
  Scratch scratch;
  scratch.directory("c");
  scratch.file("c/blkio.throttle.io_service_bytes_recursive",
               "8:0 Read 100\n8:0 Write 200\n8:0 Total 300\nTotal 300\n");
  scratch.file("c/blkio.throttle.io_serviced_recursive", "8:0 Read 1\n");
  CgroupHost host = testing::host_with({"blkio"}, {});
  host.hierarchies[0].mount_point = scratch.path();
  const CgroupStatistics statistics = read_statistics(Cgroup::open(host, "/c"));
  ASSERT_TRUE(statistics.block_io);
  ASSERT_EQ(statistics.block_io->bytes.size(), 3U);
  EXPECT_EQ(statistics.block_io->bytes[1].value, 200U);
  EXPECT_EQ(statistics.block_io->operations.size(), 1U);
}

}  // namespace
}  // namespace lade::runner
