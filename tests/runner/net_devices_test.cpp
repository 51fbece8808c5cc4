// Network devices that move into a container, from a network namespace that stands for the host.
#include "tests/runner/runtime_config.hpp"

#include <gmock/gmock.h>
#include <sched.h>

namespace lade::runner::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class NetDevicesTest : public RuntimeConfigTest {
 protected:
  void SetUp() override {
    RuntimeConfigTest::SetUp();
    if (IsSkipped()) return;
    if (::access("/sbin/ip", X_OK) != 0 && ::access("/usr/sbin/ip", X_OK) != 0) {
      GTEST_SKIP() << "there is no ip(8)";
    }
    scratch_.link("rootfs/bin/ip", "busybox");
  }

  /// A container started where there is a pair of devices `host0` and `peer0`.
  Result run_with_pair(const std::string& devices, const std::string& script) {
    const Config config{.linux = str(R"("netDevices":)", devices)};
    return Process(plan_of(config, {"sh", "-c", script}), streams_,
                   [] {
                     if (::unshare(CLONE_NEWNET) != 0) throw SystemError(errno, "unshare");
                     const int status = std::system(
                         "ip link add host0 type veth peer name peer0 && ip link set host0 up && "
                         "ip addr add 10.9.8.7/24 brd 10.9.8.255 dev host0 && "
                         "ip -6 addr add fd00:1::2/64 dev host0 nodad");
                     if (status != 0) throw Error("make a pair of network devices");
                   })
        .finish();
  }
};

TEST_F(NetDevicesTest, MoveWithTheirAddresses) {
  const Result result = run_with_pair(R"({"host0":{"name":"eth0"}})",
                                      "ip addr show eth0; ls /sys/class/net 2>/dev/null; true");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("inet 10.9.8.7/24 brd 10.9.8.255 scope global"));
  EXPECT_THAT(result.out, HasSubstr("inet6 fd00:1::2/64 scope global"));
  EXPECT_THAT(result.out, HasSubstr(",UP"));
}

TEST_F(NetDevicesTest, KeepTheirNamesUnlessTheyGetOthers) {
  const Result result = run_with_pair(R"({"host0":{}})", "ip link");
  EXPECT_THAT(result.out, HasSubstr("host0@"));
  EXPECT_THAT(result.out, Not(HasSubstr("peer0:")));
}

TEST_F(NetDevicesTest, MoveBothEnds) {
  const Result result = run_with_pair(R"({"host0":{"name":"a"},"peer0":{"name":"b"}})", "ip link");
  EXPECT_THAT(result.out, HasSubstr("a@b"));
}

TEST_F(NetDevicesTest, DoNotTakeANameThatIsTaken) {
  const Result result = run_with_pair(R"({"host0":{"name":"lo"}})", "echo never");
  EXPECT_EQ(result.code, 125);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("`host0`: the container has a `lo` already"));
}

TEST_F(NetDevicesTest, MustBeThere) {
  const Result result = run_with_pair(R"({"nope0":{}})", "echo never");
  EXPECT_EQ(result.code, 125);
  EXPECT_THAT(result.err, HasSubstr("move network device `nope0`: there is none of this name"));
}

}  // namespace
}  // namespace lade::runner::testing
