#include "base/error.hpp"
#include "runner/cgroups/cgroup.hpp"
#include "tests/runner/cgroups/hosts.hpp"
#include "tests/runner/cgroups/real_cgroup.hpp"
#include "tests/runner/container.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lade::runner {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::k_patience;
using testing::RealCgroupTest;
using testing::Scratch;

using CgroupApplyTest = RealCgroupTest;

constexpr std::int64_t k_mib = 1024 * 1024;

TEST_F(CgroupApplyTest, SetsLimitsThatTheKernelShows) {
  const CgroupHierarchy* memory = host_.find_controller("memory");
  if (memory == nullptr || memory->version != 1) GTEST_SKIP() << "memory is not on version 1";
  const Cgroup cgroup = Cgroup::create(host_, {path("limits"), {}});
  SpecResources resources;
  resources.memory = {
      .limit = 64 * k_mib, .reservation = 32 * k_mib, .swap = 96 * k_mib, .swappiness = 10};
  resources.cpu.shares = 512;
  resources.cpu.quota = 50'000;
  resources.cpu.period = 200'000;
  resources.cpu.burst = 10'000;
  resources.cpu.cpus = "0";
  resources.pids_limit = 20;
  resources.block_io.weight = 300;
  resources.block_io.leaf_weight = 300;
  resources.memory.kernel = k_mib;
  EXPECT_THAT(cgroup.apply(convert_resources(resources, host_)),
              ElementsAre(HasSubstr("memory.kernel"), HasSubstr("blkio.leaf_weight")));
  EXPECT_EQ(read(cgroup, "memory", "memory.limit_in_bytes"), "67108864");
  EXPECT_EQ(read(cgroup, "memory", "memory.memsw.limit_in_bytes"), "100663296");
  EXPECT_EQ(read(cgroup, "memory", "memory.soft_limit_in_bytes"), "33554432");
  EXPECT_EQ(read(cgroup, "memory", "memory.swappiness"), "10");
  EXPECT_EQ(read(cgroup, "cpu", "cpu.shares"), "512");
  EXPECT_EQ(read(cgroup, "cpu", "cpu.cfs_quota_us"), "50000");
  EXPECT_EQ(read(cgroup, "cpu", "cpu.cfs_period_us"), "200000");
  EXPECT_EQ(read(cgroup, "cpu", "cpu.cfs_burst_us"), "10000");
  EXPECT_EQ(read(cgroup, "cpuset", "cpuset.cpus"), "0");
  EXPECT_EQ(read(cgroup, "cpuset", "cpuset.mems"), "0");
  EXPECT_EQ(read(cgroup, "pids", "pids.max"), "20");
  EXPECT_EQ(read(cgroup, "blkio", "blkio.bfq.weight"), "300");
}

TEST_F(CgroupApplyTest, ChangesMemoryLimitsBothWays) {
  const CgroupHierarchy* memory = host_.find_controller("memory");
  if (memory == nullptr || memory->version != 1) GTEST_SKIP() << "memory is not on version 1";
  const Cgroup cgroup = Cgroup::create(host_, {path("update"), {}});
  const auto change = [&](std::int64_t limit, std::int64_t swap) {
    SpecResources resources;
    resources.memory = {.limit = limit * k_mib, .swap = swap < 0 ? swap : swap * k_mib};
    cgroup.apply(convert_resources(resources, host_, cgroup.present()));
    EXPECT_EQ(read(cgroup, "memory", "memory.limit_in_bytes"), std::to_string(limit * k_mib));
    if (swap > 0) {
      EXPECT_EQ(read(cgroup, "memory", "memory.memsw.limit_in_bytes"),
                std::to_string(swap * k_mib));
    }
  };
  change(100, 200);
  change(300, 400);
  change(350, 360);
  change(10, 20);
  change(500, -1);
  change(5, 5);
  change(6, 6);
}

TEST_F(CgroupApplyTest, OrdersBandwidthAsTheKernelWantsIt) {
  const CgroupHierarchy* cpu = host_.find_controller("cpu");
  if (cpu == nullptr || cpu->version != 1) GTEST_SKIP() << "cpu is not on version 1";
  // The one above allows half a processor: a period alone would ask for more for a moment.
  Cgroup above = Cgroup::create(host_, {top(), {}});
  const Cgroup cgroup = Cgroup::create(host_, {path("narrow"), {}});
  SpecResources resources;
  resources.cpu.quota = 50'000;
  resources.cpu.period = 100'000;
  above.apply(convert_resources(resources, host_));
  cgroup.apply(convert_resources(resources, host_));
  resources.cpu.quota = 5'000;
  resources.cpu.period = 10'000;
  resources.cpu.burst = 4'000;
  cgroup.apply(convert_resources(resources, host_));
  EXPECT_EQ(read(cgroup, "cpu", "cpu.cfs_period_us"), "10000");
  EXPECT_EQ(read(cgroup, "cpu", "cpu.cfs_quota_us"), "5000");
  EXPECT_EQ(read(cgroup, "cpu", "cpu.cfs_burst_us"), "4000");
  // More than the one above has is refused for good.
  resources.cpu.quota = 10'000;
  EXPECT_THROW(cgroup.apply(convert_resources(resources, host_)), SystemError);
}

TEST_F(CgroupApplyTest, GivesRealtimeToTheCgroupsAboveToo) {
  const CgroupHierarchy* cpu = host_.find_controller("cpu");
  if (cpu == nullptr || cpu->version != 1) GTEST_SKIP() << "cpu is not on version 1";
  if (::access("/sys/fs/cgroup/cpu/cpu.rt_runtime_us", F_OK) != 0) {
    GTEST_SKIP() << "the kernel has no realtime groups";
  }
  const Cgroup cgroup = Cgroup::create(host_, {path("realtime"), {}});
  SpecResources resources;
  resources.cpu.realtime_period = 1'000'000;
  resources.cpu.realtime_runtime = 5'000;
  cgroup.apply(convert_resources(resources, host_));
  EXPECT_EQ(read(cgroup, "cpu", "cpu.rt_runtime_us"), "5000");
}

TEST_F(CgroupApplyTest, FillsCpusetsDownThePath) {
  const CgroupHierarchy* cpuset = host_.find_controller("cpuset");
  if (cpuset == nullptr || cpuset->version != 1) GTEST_SKIP() << "cpuset is not on version 1";
  Cgroup above = Cgroup::create(host_, {top(), {}});
  SpecResources resources;
  resources.cpu.cpus = "0";
  above.apply(convert_resources(resources, host_));
  const Cgroup cgroup = Cgroup::create(host_, {path("a/b/c"), {}});
  EXPECT_EQ(read(cgroup, "cpuset", "cpuset.cpus"), "0");
  EXPECT_EQ(read(cgroup, "cpuset", "cpuset.mems"), "0");
  EXPECT_EQ(read(Cgroup::open(host_, path("a")), "cpuset", "cpuset.cpus"), "0");
}

TEST_F(CgroupApplyTest, NamesThePropertyThatTheKernelRefuses) {
  if (host_.find_controller("cpuset") == nullptr) GTEST_SKIP() << "there is no cpuset";
  const Cgroup cgroup = Cgroup::create(host_, {path("refused"), controllers_to_enable({}, host_)});
  SpecResources resources;
  resources.cpu.cpus = "4000";
  try {
    cgroup.apply(convert_resources(resources, host_));
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_THAT(error.what(), HasSubstr("linux.resources.cpu.cpus: write `4000` to `/"));
  }
}

TEST_F(CgroupApplyTest, UsesVersion2BesideVersion1) {
  const CgroupHierarchy* unified = host_.find_unified();
  if (unified == nullptr || host_.find_controller("hugetlb") != unified) {
    GTEST_SKIP() << "hugetlb is not on version 2";
  }
  const std::string control = unified->mount_point + "/cgroup.subtree_control";
  const bool enabled = read_file(control, 4096).find("hugetlb") != std::string::npos;
  SpecResources resources;
  resources.hugepages = {{"2MB", 4 * k_mib}};
  resources.unified = {{"hugetlb.2MB.rsvd.max", "2097152"}};
  {
    Cgroup cgroup = Cgroup::create(host_, {path("huge"), controllers_to_enable(resources, host_)});
    EXPECT_THAT(cgroup.unavailable(), IsEmpty());
    EXPECT_THAT(cgroup.apply(convert_resources(resources, host_)), IsEmpty());
    EXPECT_EQ(read(cgroup, "hugetlb", "hugetlb.2MB.max"), "4194304");
    EXPECT_EQ(read(cgroup, "hugetlb", "hugetlb.2MB.rsvd.max"), "2097152");
    cgroup.remove(k_patience, cgroup.made_parents());
  }
  if (!enabled) write_all(open_file(control, O_WRONLY), as_bytes("-hugetlb"), control);
}

/// A version 2 host made of plain files.
class FakeV2 {
 public:
  explicit FakeV2(const std::vector<std::string>& files) {
    for (const std::string directory : {"", "a/", "a/b/"}) {
      scratch_.directory(directory);
      scratch_.file(directory + "cgroup.controllers", "cpuset cpu io memory pids\n");
      scratch_.file(directory + "cgroup.subtree_control", "");
      scratch_.file(directory + "cgroup.events", "populated 0\nfrozen 0\n");
      scratch_.file(directory + "cgroup.freeze", "0");
    }
    for (const std::string& file : files) scratch_.file("a/b/" + file, "");
    host_ = testing::host_with({}, {"cpuset", "cpu", "io", "memory", "pids"});
    host_.hierarchies[0].mount_point = scratch_.path();
  }
  const CgroupHost& host() const { return host_; }
  std::string read(const std::string& file) const { return read_file(scratch_.path(file), 4096); }

 private:
  Scratch scratch_;
  CgroupHost host_;
};

TEST(CgroupV2, EnablesControllersDownThePathAndWritesFiles) {
  const FakeV2 fake({"memory.max", "memory.swap.max", "cpu.max", "io.weight", "pids.max"});
  SpecResources resources;
  resources.memory = {.limit = 2 * k_mib, .swap = 3 * k_mib};
  resources.cpu.quota = 5'000;
  resources.block_io.weight = 1000;
  resources.pids_limit = 7;
  const Cgroup cgroup =
      Cgroup::create(fake.host(), {"/a/b", controllers_to_enable(resources, fake.host())});
  const std::string all = "+cpuset +cpu +io +memory +pids";
  EXPECT_EQ(fake.read("cgroup.subtree_control"), all);
  EXPECT_EQ(fake.read("a/cgroup.subtree_control"), all);
  EXPECT_EQ(fake.read("a/b/cgroup.subtree_control"), "") << "it is the leaf";
  EXPECT_THAT(cgroup.apply(convert_resources(resources, fake.host())), IsEmpty());
  EXPECT_EQ(fake.read("a/b/memory.max"), "2097152");
  EXPECT_EQ(fake.read("a/b/memory.swap.max"), "1048576");
  EXPECT_EQ(fake.read("a/b/cpu.max"), "5000");
  EXPECT_EQ(fake.read("a/b/io.weight"), "default 10000");
  EXPECT_EQ(fake.read("a/b/pids.max"), "7");
}

TEST(CgroupV2, SaysWhichFileIsNotThere) {
  const FakeV2 fake({});
  const Cgroup cgroup = Cgroup::open(fake.host(), "/a/b");
  SpecResources resources;
  resources.memory.limit = k_mib;
  try {
    cgroup.apply(convert_resources(resources, fake.host()));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("linux.resources.memory.limit: cgroup file `memory.max`"));
  }
  resources.memory.swap = k_mib;
  resources.memory.limit = k_mib;
  const CgroupChange change = convert_resources(resources, fake.host());
  CgroupChange swap_only{{change.settings[0]}, {}};
  EXPECT_THAT(cgroup.apply(swap_only), ElementsAre(HasSubstr("memory.swap.max")));
}

}  // namespace
}  // namespace lade::runner
