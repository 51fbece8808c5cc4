#include "runner/cgroups/device_rules.hpp"

#include "tests/runner/cgroups/real_cgroup.hpp"
#include "tests/runner/container.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <string>
#include <vector>

namespace lade::runner {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::k_patience;
using testing::RealCgroupTest;
using testing::Scratch;
using testing::TestProcess;

SpecDeviceRule rule(bool allow, char type, std::optional<std::int64_t> major,
                    std::optional<std::int64_t> minor, const std::string& access) {
  return {allow, type, major, minor, access};
}

const SpecDeviceRule k_deny_all = {false, 'a', {}, {}, "rwm"};
const SpecDeviceRule k_allow_all = {true, 'a', {}, {}, "rwm"};

std::vector<std::string> lines_of(const std::vector<SpecDeviceRule>& rules) {
  std::vector<std::string> lines;
  const auto found = device_lines(make_device_policy(rules));
  if (!found) return {"cannot"};
  for (const DeviceLine& line : *found) lines.push_back(str(line.allow ? "+ " : "- ", line.text));
  return lines;
}

TEST(DeviceRules, AllowWhatEveryContainerHas) {
  const std::vector<std::string> always = {
      "- a",         "+ c *:* m",   "+ b *:* m",     "+ c 136:* rwm", "+ c 1:3 rwm",
      "+ c 1:5 rwm", "+ c 1:7 rwm", "+ c 1:8 rwm",   "+ c 1:9 rwm",   "+ c 5:0 rwm",
      "+ c 5:1 rwm", "+ c 5:2 rwm", "+ c 10:200 rwm"};
  EXPECT_EQ(lines_of({k_deny_all}), always);
  EXPECT_EQ(lines_of({k_allow_all, k_deny_all}), always) << "the last one wins";
  std::vector<std::string> more = always;
  more.insert(more.begin() + 1, "+ c 10:229 rw");
  EXPECT_EQ(lines_of({k_deny_all, rule(true, 'c', 10, 229, "rw")}), more);
  EXPECT_EQ(lines_of({rule(true, 'c', 10, 229, "rw")}), more) << "nothing is allowed at first";
}

TEST(DeviceRules, LeaveAllOpenIfAsked) {
  EXPECT_THAT(lines_of({k_deny_all, k_allow_all}), ElementsAre("+ a"));
  EXPECT_THAT(lines_of({rule(true, 'a', -1, -1, "")}), ElementsAre("+ a"));
}

TEST(DeviceRules, MergeAndTakeBack) {
  const auto lines = lines_of({k_deny_all, rule(true, 'b', 8, {}, "r"), rule(true, 'b', 8, {}, "w"),
                               rule(true, 'c', 7, 1, "rwm"), rule(false, 'c', 7, 1, "w"),
                               rule(true, 'a', 9, 9, "r"), rule(false, 'b', 9, 9, "r")});
  EXPECT_THAT(std::vector<std::string>(lines.begin(), lines.begin() + 5),
              ElementsAre("- a", "+ b 8:* rw", "+ c 7:1 rm", "+ c 9:9 r", "+ c *:* m"));
}

TEST(DeviceRules, KnowWhatVersion1CannotExpress) {
  EXPECT_THAT(lines_of({k_deny_all, rule(true, 'c', 1, {}, "rw"), rule(false, 'c', 1, 1, "rw")}),
              ElementsAre("cannot"));
  EXPECT_THAT(lines_of({k_allow_all, rule(false, 'c', {}, {}, "w"), rule(true, 'c', 2, 3, "w")}),
              ElementsAre("cannot"));
}

TEST(DeviceRules, RefuseWhatIsNone) {
  EXPECT_THROW(make_device_policy({rule(true, 'u', 1, 1, "r")}), InvalidData);
  EXPECT_THROW(make_device_policy({rule(true, 'c', 1, 1, "rx")}), InvalidData);
  EXPECT_THROW(make_device_policy({rule(true, 'c', -2, 1, "r")}), InvalidData);
  EXPECT_THROW(make_device_policy({rule(true, 'c', 1, 1LL << 40, "r")}), InvalidData);
}

/// Which of some nodes a process in a cgroup can open, by the kernel's own judgement.
class DeviceRulesTest : public RealCgroupTest {
 protected:
  /// `null:rw+ zero:r …`: each with what is possible.
  std::string openable(const Cgroup& cgroup) {
    Pipe answer = make_pipe();
    Scratch scratch;
    const std::vector<std::pair<std::string, dev_t>> nodes = {{"null", makedev(1, 3)},
                                                              {"mem", makedev(1, 1)},
                                                              {"kmsg", makedev(1, 11)},
                                                              {"tty0", makedev(4, 0)},
                                                              {"loop0", makedev(7, 0)}};
    TestProcess process(cgroup.entrance(), [&] {
      std::string text;
      for (const auto& [name, device] : nodes) {
        const std::string path = scratch.path(name);
        const mode_t type = name == "loop0" ? S_IFBLK : S_IFCHR;
        text += name + ':';
        if (::mknod(path.c_str(), type | 0600, device) != 0) text += '!';
        // O_NONBLOCK and ENXIO: what matters is whether the rules let it through to the driver.
        const auto passes = [&](int flags) {
          const Fd fd(::open(path.c_str(), flags | O_NONBLOCK | O_NOCTTY));
          return fd.valid() || errno != EPERM;
        };
        if (passes(O_RDONLY)) text += 'r';
        if (passes(O_WRONLY)) text += 'w';
        if (passes(O_RDWR)) text += '+';
        text += ' ';
      }
      write_all(answer.write, as_bytes(text), "answer");
      ::_exit(0);
    });
    process.wait();
    answer.write.reset();
    std::string text;
    std::byte buffer[1024];
    while (const std::size_t count = read_some(answer.read, buffer, "answer")) {
      text += as_text(std::span(buffer, count));
    }
    return text;
  }
};

TEST_F(DeviceRulesTest, AreKeptByTheKernelInBothVersions) {
  for (const int version : {1, 2}) {
    const CgroupHost host = only(version);
    if (host.hierarchies.empty()) continue;
    const Cgroup cgroup = Cgroup::create(host, {path(str("devices", version)), {}});
    if (version == 1 && cgroup.find_directory("devices") == nullptr) continue;
    EXPECT_EQ(openable(cgroup), "null:rw+ mem:rw+ kmsg:rw+ tty0:rw+ loop0:rw+ ");
    cgroup.apply_devices({k_deny_all});
    EXPECT_EQ(openable(cgroup), "null:rw+ mem: kmsg: tty0: loop0: ") << "version " << version;
    // In place of the other rules, not on top of them.
    cgroup.apply_devices({k_deny_all, rule(true, 'c', 1, 11, "r"), rule(true, 'b', {}, {}, "w"),
                          rule(true, 'c', 4, {}, "rw")});
    EXPECT_EQ(openable(cgroup), "null:rw+ mem: kmsg:r tty0:rw+ loop0:w ") << "version " << version;
    // What two rules allow, they allow together.
    cgroup.apply_devices({k_deny_all, rule(true, 'c', 4, 0, "w"), rule(true, 'c', 4, 0, "r")});
    EXPECT_EQ(openable(cgroup), "null:rw+ mem: kmsg: tty0:rw+ loop0: ") << "version " << version;
    cgroup.apply_devices({k_allow_all});
    EXPECT_EQ(openable(cgroup), "null:rw+ mem:rw+ kmsg:rw+ tty0:rw+ loop0:rw+ ");
    cgroup.apply_devices({k_allow_all, rule(false, 'c', 1, 11, "w"), rule(false, 'b', 7, 0, "rw")});
    EXPECT_EQ(openable(cgroup), "null:rw+ mem:rw+ kmsg:r tty0:rw+ loop0: ")
        << "version " << version;
  }
}

TEST_F(DeviceRulesTest, GoToVersion2WhereVersion1CannotExpressThem) {
  const std::vector<SpecDeviceRule> rules = {k_deny_all, rule(true, 'c', 1, {}, "rw"),
                                             rule(false, 'c', 1, 1, "rw")};
  if (host_.mode == CgroupMode::v1) GTEST_SKIP() << "there is no version 2";
  const Cgroup cgroup = Cgroup::create(host_, {path("hole"), {}});
  cgroup.apply_devices(rules);
  EXPECT_EQ(openable(cgroup), "null:rw+ mem: kmsg:rw+ tty0: loop0: ");
  const CgroupHost v1 = only(1);
  if (v1.find_controller("devices") == nullptr) return;
  const Cgroup old = Cgroup::create(v1, {path("no-hole"), {}});
  EXPECT_THROW(old.apply_devices(rules), Error);
}

}  // namespace
}  // namespace lade::runner
