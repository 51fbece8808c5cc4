// Real containers from their command to their end: exit codes, signals, what the program finds.
#include "tests/runner/container.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

namespace lade::runner::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

class RunTest : public ContainerTest {};

TEST_F(RunTest, PassesTheExitCodeOn) {
  EXPECT_EQ(container({"true"}).code, 0);
  EXPECT_EQ(shell("exit 7").code, 7);
}

TEST_F(RunTest, SaysWhenThereIsNoProgram) {
  const Result missing = container({"nosuch"});
  EXPECT_EQ(missing.code, 127);
  EXPECT_EQ(missing.err, "lade: exec `nosuch`: executable file not found in $PATH\n");
  const Result path = container({"/no/such"});
  EXPECT_EQ(path.code, 127);
  EXPECT_EQ(path.err, "lade: exec `/no/such`: no such file or directory\n");
}

TEST_F(RunTest, SaysWhenAProgramCannotBeInvoked) {
  scratch_.file("rootfs/bin/plain", "text", 0644);
  scratch_.file("rootfs/bin/noformat", "text", 0755);
  for (const char* name : {"/etc", "/bin/plain", "plain"}) {
    const Result result = container({name});
    EXPECT_EQ(result.code, 126) << name;
    EXPECT_THAT(result.err, HasSubstr("permission denied")) << name;
  }
  const Result format = container({"/bin/noformat"});
  EXPECT_EQ(format.code, 126);
  EXPECT_THAT(format.err, HasSubstr("exec format error"));
}

TEST_F(RunTest, NamesAMissingInterpreter) {
  scratch_.file("rootfs/bin/script", "#! /no/interpreter -x\n", 0755);
  const Result result = container({"script"});
  EXPECT_EQ(result.code, 127);
  EXPECT_EQ(
      result.err,
      "lade: exec `/bin/script`: its interpreter `/no/interpreter`: no such file or directory\n");
}

TEST_F(RunTest, ForwardsSignals) {
  streams_.stdin_mode = Stdin::open;
  options_.args = {"sh", "-c",
                   "trap 'exit 5' USR1; trap 'exit 143' TERM; echo ready; read x; read x"};
  for (const auto& [signal, code] : {std::pair{SIGUSR1, 5}, std::pair{SIGTERM, 143}}) {
    Process process(plan(), streams_);
    ASSERT_EQ(process.line(), "ready");
    process.signal(signal);
    // No line is ever written to it: only the trap can have ended it.
    std::string out;
    while (!(out = process.line()).empty()) ADD_FAILURE() << out;
    EXPECT_EQ(process.finish().code, code);
  }
}

TEST_F(RunTest, TellsAKilledContainerByItsExitCode) {
  options_.args = {"sh", "-c", "echo ready; sleep 1000"};
  Process process(plan(), streams_);
  ASSERT_EQ(process.line(), "ready");
  ASSERT_EQ(::kill(child_of(process.pid()).value_or(-1), SIGKILL), 0);
  EXPECT_EQ(process.finish().code, 137);
}

TEST_F(RunTest, DiesWithLadeAndLeavesNoMount) {
  root_ = OverlayConfig{{rootfs()}, scratch_.path("upper"), scratch_.path("work"), false, true};
  const std::string before = read_file("/proc/self/mountinfo", 1U << 20);
  options_.args = {"sh", "-c", "echo ready; sleep 1000"};
  Process process(plan(), streams_);
  ASSERT_EQ(process.line(), "ready");
  EXPECT_EQ(read_file("/proc/self/mountinfo", 1U << 20), before);
  process.signal(SIGKILL);
  // The output ends when its last holder, the container, is gone.
  EXPECT_EQ(process.finish().code, -SIGKILL);
  EXPECT_EQ(read_file("/proc/self/mountinfo", 1U << 20), before);
}

TEST_F(RunTest, DiesWithLadeAsAnotherUser) {
  options_.user = "alice";
  options_.args = {"sh", "-c", "echo ready; sleep 1000"};
  Process process(plan(), streams_);
  ASSERT_EQ(process.line(), "ready");
  process.signal(SIGKILL);
  EXPECT_EQ(process.finish().code, -SIGKILL);
}

TEST_F(RunTest, WritesToTheUpperLayerOnly) {
  root_ = OverlayConfig{{rootfs()}, scratch_.path("upper"), scratch_.path("work"), false, true};
  EXPECT_EQ(shell("echo new > /etc/new && cat /etc/new").out, "new\n");
  EXPECT_EQ(::access(scratch_.path("upper/etc/new").c_str(), F_OK), 0);
  EXPECT_NE(::access(rootfs("etc/new").c_str(), F_OK), 0);
}

TEST_F(RunTest, GivesTheProgramItsEnvironment) {
  options_.env = {parse_env_setting("A=b c")};
  const Result result = container({"/bin/env"});
  EXPECT_EQ(result.out,
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
            "container=lade\nHOSTNAME=0123456789ab\nA=b c\nHOME=/root\n");
}

TEST_F(RunTest, FindsHomeAndNeverLeavesItEmpty) {
  options_.user = "alice";
  EXPECT_EQ(shell("echo $HOME").out, "/home/alice\n");
  options_.env = {parse_env_setting("HOME=")};
  EXPECT_EQ(shell("echo $HOME").out, "/home/alice\n");
  options_.env = {parse_env_setting("HOME=/mine")};
  EXPECT_EQ(shell("echo $HOME").out, "/mine\n");
}

TEST_F(RunTest, BecomesTheUser) {
  options_.user = "alice";
  EXPECT_EQ(shell("id -u; id -g; id -G").out, "1000\n1000\n1000 50\n");
  options_.user = "1000:1000";
  EXPECT_EQ(shell("id -G").out, "1000\n");
  options_.user = "4242";
  EXPECT_EQ(shell("id -u; id -g; id -G; echo $HOME").out, "4242\n0\n0\n/\n");
  options_.user.reset();
  EXPECT_EQ(shell("id -u; id -G").out, "0\n0 10\n");
}

TEST_F(RunTest, StartsInTheWorkingDirectory) {
  options_.workdir = "/tmp";
  EXPECT_EQ(container({"pwd"}).out, "/tmp\n");
  options_.workdir = "/nope";
  const Result missing = container({"pwd"});
  EXPECT_EQ(missing.code, 126);
  EXPECT_EQ(missing.err, "lade: working directory `/nope` does not exist in the container\n");
  options_.workdir.reset();
  image_.process.working_dir = "/srv/made/for/it";
  EXPECT_EQ(container({"pwd"}).out, "/srv/made/for/it\n");
}

TEST_F(RunTest, EntersADirectoryThatOnlyItsUserMay) {
  scratch_.directory("rootfs/home");
  scratch_.directory("rootfs/home/alice");
  ::chown(rootfs("home/alice").c_str(), 1000, 1000);
  ::chmod(rootfs("home/alice").c_str(), 0700);
  options_.user = "alice";
  options_.workdir = "/home/alice";
  EXPECT_EQ(container({"pwd"}).out, "/home/alice\n");
}

TEST_F(RunTest, ReadsStandardInputOnlyWhenAsked) {
  options_.args = {"cat"};
  {
    Process process(plan(), {.stdin_mode = Stdin::open});
    process.write("hello");
    process.close_stdin();
    EXPECT_EQ(process.finish().out, "hello");
  }
  Process process(plan(), {.stdin_mode = Stdin::closed});
  EXPECT_EQ(process.finish().out, "");
}

TEST_F(RunTest, LosesNoOutput) {
  const Result result = shell("head -c 3000000 /dev/zero; head -c 100000 /dev/zero >&2; exit 3");
  EXPECT_EQ(result.code, 3);
  EXPECT_EQ(result.out.size(), 3000000U);
  EXPECT_EQ(result.err.size(), 100000U);
}

TEST_F(RunTest, LetsAUserReopenItsOutput) {
  options_.user = "alice";
  EXPECT_EQ(shell("echo out > /dev/stdout").out, "out\n");
}

TEST_F(RunTest, MountsVolumes) {
  scratch_.directory("data");
  scratch_.file("data/file", "content\n");
  scratch_.file("single", "one\n");
  options_.volumes = {parse_volume(scratch_.path("data") + ":/mnt/data:ro"),
                      parse_volume(scratch_.path("single") + ":/mnt/new/single"),
                      parse_volume(scratch_.path("data") + ":/rw")};
  const Result result =
      shell("cat /mnt/data/file /mnt/new/single; touch /mnt/data/x; echo $?; touch /rw/y");
  EXPECT_EQ(result.out, "content\none\n1\n");
  EXPECT_THAT(result.err, HasSubstr("Read-only file system"));
  EXPECT_EQ(::access(scratch_.path("data/y").c_str(), F_OK), 0);
}

TEST_F(RunTest, AReadOnlyVolumeIsSoInItsSubmounts) {
  options_.volumes = {parse_volume("/dev:/mnt:ro")};
  EXPECT_THAT(shell("touch /mnt/shm/x").err, HasSubstr("Read-only file system"));
}

TEST_F(RunTest, SaysWhichVolumeIsMissing) {
  options_.volumes = {parse_volume("/no/such/dir:/x")};
  const Result result = container({"true"});
  EXPECT_EQ(result.code, 125);
  EXPECT_EQ(result.err, "lade: bind /x: open `/no/such/dir`: No such file or directory\n");
}

TEST_F(RunTest, AStepsErrorNamesTheStep) {
  scratch_.file("rootfs/file", "");
  options_.volumes = {parse_volume("/etc:/file")};
  const Result result = container({"true"});
  EXPECT_EQ(result.code, 125);
  EXPECT_EQ(result.err, "lade: bind /file: open `/file` in the container: Not a directory\n");
}

TEST_F(RunTest, AReadOnlyRootCannotBeWritten) {
  options_.root = RootAccess::read_only;
  EXPECT_THAT(shell("touch /x").err, HasSubstr("Read-only file system"));
  EXPECT_EQ(shell("touch /dev/shm/x").code, 0);
}

TEST_F(RunTest, HasItsOwnNames) {
  options_.hostname = "box";
  EXPECT_EQ(shell("hostname; cat /etc/hostname; grep -c box /etc/hosts").out, "box\nbox\n1\n");
}

TEST_F(RunTest, IsTheFirstProcess) {
  EXPECT_EQ(shell("echo $$").out, "1\n");
}

TEST_F(RunTest, HasNothingButALoopbackThatIsUp) {
  const Result result = shell("ls /sys/class/net; cat /sys/class/net/lo/flags");
  EXPECT_EQ(result.out, "lo\n0x9\n");
}

TEST_F(RunTest, CanHaveTheHostsNetwork) {
  options_.network = NetworkMode::host;
  std::array<char, 256> name{};
  const ssize_t size = ::readlink("/proc/self/ns/net", name.data(), name.size());
  ASSERT_GT(size, 0);
  EXPECT_EQ(container({"readlink", "/proc/self/ns/net"}).out,
            str(std::string_view(name.data(), static_cast<std::size_t>(size)), '\n'));
}

TEST_F(RunTest, NeedsASingleThread) {
  EXPECT_TRUE(is_single_threaded());
}

TEST_F(RunTest, RefusesToCloneWithThreads) {
  options_.args = {"true"};
  const Plan made = plan();
  std::atomic<bool> over = false;
  std::thread other([&] {
    while (!over) std::this_thread::yield();
  });
  EXPECT_FALSE(is_single_threaded());
  EXPECT_THROW(run(made, {}, printing_duties()), Error);
  over = true;
  other.join();
}

}  // namespace
}  // namespace lade::runner::testing
