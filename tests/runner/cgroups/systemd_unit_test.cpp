#include "runner/cgroups/systemd_unit.hpp"

#include "base/error.hpp"

#include <gmock/gmock.h>

namespace lade::runner {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::uint64_t k_infinity = ~std::uint64_t{0};

SystemdUnit unit_of(std::string_view path) {
  return decide_systemd_unit(path, "web", SystemdInstance::system);
}

TEST(SystemdUnitTest, IsASliceAPrefixAndAName) {
  const SystemdUnit unit = unit_of("machine.slice:libpod:0123");
  EXPECT_EQ(unit.slice, "machine.slice");
  EXPECT_EQ(unit.name, "libpod-0123.scope");
  EXPECT_EQ(unit_of("a-b.slice::x").name, "x.scope");
  EXPECT_EQ(unit_of("a-b.slice::x.scope").name, "x.scope");
  EXPECT_EQ(unit_of(":box:x").slice, "system.slice");
  EXPECT_EQ(decide_systemd_unit(":box:x", "web", SystemdInstance::user).slice, "user.slice");
  EXPECT_EQ(unit_of("").name, "lade-web.scope");
}

TEST(SystemdUnitTest, AnythingElseIsRefused) {
  for (const std::string path :
       {"/a/b", "a.slice", "a.slice:b", "a.slice:b:c:d", "a:b:c", "a.slice:b:", "a.slice:b:c.slice",
        "a/b.slice:c:d", "a.slice:../b:c", "a.slice:b:c d", "a.slice:b:c\nd", "a.slice:b:\\x2f"}) {
    EXPECT_THROW(unit_of(path), InvalidData) << path;
  }
  EXPECT_THROW(unit_of("a.slice:b:" + std::string(250, 'c')), InvalidData);
}

std::vector<SystemdProperty> limits_of(const SpecResources& resources, CgroupMode mode) {
  CgroupHost host;
  host.mode = mode;
  return systemd_limits(resources, host);
}

TEST(SystemdLimits, AreThoseOfTheHostsHierarchies) {
  SpecResources resources;
  resources.memory = {.limit = 100, .reservation = 50, .swap = 150};
  resources.cpu.shares = 1024;
  resources.cpu.cpus = "0-2,9";
  resources.pids_limit = 7;
  resources.block_io.weight = 500;
  EXPECT_THAT(limits_of(resources, CgroupMode::hybrid),
              UnorderedElementsAre(SystemdProperty{"TasksMax", std::uint64_t{7}},
                                   SystemdProperty{"MemoryLimit", std::uint64_t{100}},
                                   SystemdProperty{"CPUShares", std::uint64_t{1024}},
                                   SystemdProperty{"BlockIOWeight", std::uint64_t{500}}));
  EXPECT_THAT(
      limits_of(resources, CgroupMode::v2),
      UnorderedElementsAre(
          SystemdProperty{"TasksMax", std::uint64_t{7}},
          SystemdProperty{"MemoryMax", std::uint64_t{100}},
          SystemdProperty{"MemoryLow", std::uint64_t{50}},
          SystemdProperty{"MemorySwapMax", std::uint64_t{50}},
          SystemdProperty{"CPUWeight", std::uint64_t{100}},
          SystemdProperty{"AllowedCPUs", std::vector<std::uint8_t>{0b0000'0111, 0b0000'0010}},
          SystemdProperty{"IOWeight", std::uint64_t{4950}}));
}

TEST(SystemdLimits, NoLimitIsInfinity) {
  SpecResources resources;
  resources.memory = {.limit = -1, .swap = -1};
  resources.cpu.quota = -1;
  resources.pids_limit = 0;
  EXPECT_THAT(limits_of(resources, CgroupMode::v2),
              UnorderedElementsAre(SystemdProperty{"CPUQuotaPerSecUSec", k_infinity},
                                   SystemdProperty{"TasksMax", k_infinity},
                                   SystemdProperty{"MemoryMax", k_infinity},
                                   SystemdProperty{"MemorySwapMax", k_infinity}));
  EXPECT_THAT(limits_of({}, CgroupMode::v2), IsEmpty());
}

TEST(SystemdLimits, AQuotaIsRoundedUpToWhatSystemdCountsIn) {
  SpecResources resources;
  resources.cpu.quota = 1500;  // of 100,000: 15 ms a second
  EXPECT_THAT(limits_of(resources, CgroupMode::v1),
              ElementsAre(SystemdProperty{"CPUQuotaPerSecUSec", std::uint64_t{20'000}}));
  resources.cpu.period = 50'000;  // 30 ms a second
  EXPECT_THAT(limits_of(resources, CgroupMode::v1),
              ElementsAre(SystemdProperty{"CPUQuotaPeriodUSec", std::uint64_t{50'000}},
                          SystemdProperty{"CPUQuotaPerSecUSec", std::uint64_t{30'000}}));
}

TEST(SystemdLimits, UnifiedFilesThatSystemdKnows) {
  SpecResources resources;
  resources.unified = {{"memory.high", "4096"}, {"pids.max", "max"}, {"io.max", "8:0 rbps=1"}};
  EXPECT_THAT(limits_of(resources, CgroupMode::v2),
              ElementsAre(SystemdProperty{"MemoryHigh", std::uint64_t{4096}},
                          SystemdProperty{"TasksMax", k_infinity}));
}

TEST(SystemdLimits, AListOfProcessorsThatIsNone) {
  for (const std::string list : {"x", "3-1", "0-99999999", "1-", ","}) {
    SpecResources resources;
    resources.cpu.cpus = list;
    EXPECT_THROW(limits_of(resources, CgroupMode::v2), InvalidData) << list;
  }
}

TEST(AnnotatedProperties, AreReadAsGVariants) {
  EXPECT_THAT(
      annotated_properties({{"org.systemd.property.TimeoutStopUSec", "uint64 90000000"},
                            {"org.systemd.property.KillSignal", "int32 37"},
                            {"org.systemd.property.CollectMode", "'inactive-or-failed'"},
                            {"org.systemd.property.After", "['a.service', \"b.service\"]"},
                            {"org.systemd.property.SendSIGHUP", "true"},
                            {"other", "'x'"}}),
      ElementsAre(SystemdProperty{"TimeoutStopUSec", std::uint64_t{90'000'000}},
                  SystemdProperty{"KillSignal", std::int32_t{37}},
                  SystemdProperty{"CollectMode", std::string("inactive-or-failed")},
                  SystemdProperty{"After", std::vector<std::string>{"a.service", "b.service"}},
                  SystemdProperty{"SendSIGHUP", true}));
  for (const std::string text :
       {"", "word", "'open", "uint64 x", "['a', b]", "{'a': 1}", "'a\\n'"}) {
    EXPECT_THROW(annotated_properties({{"org.systemd.property.X", text}}), InvalidData) << text;
  }
}

}  // namespace
}  // namespace lade::runner
