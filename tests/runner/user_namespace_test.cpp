// Containers with a user namespace of their own: root inside is nobody outside.
#include "tests/runner/runtime_config.hpp"

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>

namespace lade::runner::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr uid_t k_first = 100000;

class UserNamespaceTest : public RuntimeConfigTest {
 protected:
  void SetUp() override {
    RuntimeConfigTest::SetUp();
    if (IsSkipped()) return;
    give(rootfs());
    config_.linux =
        R"("uidMappings":[{"containerID":0,"hostID":100000,"size":65536}],
           "gidMappings":[{"containerID":0,"hostID":100000,"size":65536}])";
    config_.namespaces += R"(,{"type":"user"},{"type":"cgroup"})";
    config_.mounts =
        R"({"destination":"/dev/shm","type":"tmpfs","source":"shm",
            "options":["nosuid","noexec","nodev","mode=1777","size=65536k"]},
           {"destination":"/dev/mqueue","type":"mqueue","source":"mqueue",
            "options":["nosuid","noexec","nodev"]},
           {"destination":"/sys","type":"sysfs","source":"sysfs",
            "options":["nosuid","noexec","nodev","ro"]},
           {"destination":"/sys/fs/cgroup","type":"cgroup","source":"cgroup",
            "options":["nosuid","noexec","nodev","ro"]})";
  }

  /// Makes everything below `path` root's in the container.
  void give(const std::string& path) {
    const std::string command = str("chown -hR ", k_first, ":", k_first, " '", path, "'");
    if (std::system(command.c_str()) != 0) throw Error("chown");
  }

  Config config_;
};

TEST_F(UserNamespaceTest, IsRootInsideOnly) {
  const Result result = script(
      config_, "id -u; id -G; cat /proc/self/uid_map; touch /made; stat -c %u /made /proc/1");
  EXPECT_EQ(result.out, "0\n0\n         0     100000      65536\n0\n0\n") << result.err;
  struct stat st {};
  ASSERT_EQ(::lstat(rootfs("made").c_str(), &st), 0);
  EXPECT_EQ(st.st_uid, k_first);
}

TEST_F(UserNamespaceTest, HasAllOrdinaryMounts) {
  const Result result = run(config_, {"cat", "/proc/mounts"});
  EXPECT_EQ(result.code, 0) << result.err;
  for (const char* mount : {"proc /proc proc rw,", "tmpfs /dev tmpfs rw,nosuid,",
                            "devpts /dev/pts devpts rw,nosuid,noexec,", "shm /dev/shm tmpfs rw,",
                            "mqueue /dev/mqueue mqueue rw,", "sysfs /sys sysfs ro,"}) {
    EXPECT_THAT(result.out, HasSubstr(mount));
  }
}

TEST_F(UserNamespaceTest, HasTheHostsDevices) {
  const Result result =
      script(config_,
             "stat -c '%F %t:%T' /dev/null /dev/tty; echo lost >/dev/null && head -c1 "
             "/dev/zero | wc -c; test -s /dev/null || echo empty");
  EXPECT_THAT(result.out, StartsWith("character special file 1:3\ncharacter special file 5:0\n"))
      << result.err;
  EXPECT_THAT(result.out, ::testing::EndsWith("empty\n"));
  EXPECT_THAT(run(config_, {"cat", "/proc/mounts"}).out, HasSubstr(" /dev/null "));
}

TEST_F(UserNamespaceTest, HidesAndProtectsPaths) {
  config_.linux += R"(,"maskedPaths":["/proc/kcore","/sys/firmware"],
                       "readonlyPaths":["/proc/sys"])";
  const Result result =
      script(config_, "ls /sys/firmware | wc -l; echo x >/proc/sys/kernel/domainname");
  EXPECT_EQ(result.out, "0\n");
  EXPECT_THAT(result.err, HasSubstr("Read-only file system"));
}

TEST_F(UserNamespaceTest, BecomesAUserOfTheMapping) {
  config_.process = R"("user":{"uid":1000,"gid":7,"additionalGids":[5]})";
  EXPECT_EQ(script(config_, "id -u; id -G; cat /proc/self/setgroups").out, "1000\n7 5\nallow\n");
  config_.process = R"("user":{"uid":70000,"gid":0})";
  EXPECT_THAT(run(config_, {"true"}).err, HasSubstr("Invalid argument"));
}

// runtime-tools and podman's `--net host` with mapped ids.
TEST_F(UserNamespaceTest, OnTheHostsNetworkSeesItsSysReadOnly) {
  config_.namespaces = R"({"type":"pid"},{"type":"mount"},{"type":"ipc"},{"type":"uts"},
                          {"type":"user"},{"type":"cgroup"})";
  const Result result = script(config_, "grep ' /sys ' /proc/mounts; touch /sys/x 2>&1");
  EXPECT_EQ(result.code, 1) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("sysfs /sys sysfs ro,nosuid,nodev,noexec"),
                                HasSubstr("Read-only file system")));
}

TEST_F(UserNamespaceTest, SaysWhyThereIsNoProcfs) {
  // As in a container of another engine, which masks parts of its /proc.
  const Result result = Process(plan_of(config_, {"true"}), streams_, [] {
                          if (::unshare(CLONE_NEWNS) != 0) throw SystemError(errno, "unshare");
                          ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
                          ::mount("tmpfs", "/proc/sys", "tmpfs", MS_RDONLY, nullptr);
                        }).finish();
  EXPECT_EQ(result.code, 125);
  EXPECT_THAT(result.err, HasSubstr("open procfs: mount a `proc`: Operation not permitted"));
}

TEST_F(UserNamespaceTest, BindsWhatIsTheHosts) {
  scratch_.directory("data");
  scratch_.file("data/theirs", "text\n");
  config_.mounts += str(R"(,{"destination":"/data","type":"bind","source":")",
                        scratch_.path("data"), R"(","options":["rbind","ro"]})");
  const Result result =
      script(config_, "stat -c %u /data/theirs; cat /data/theirs; touch /data/x 2>&1");
  EXPECT_THAT(result.out, AllOf(StartsWith("65534\ntext\n"), HasSubstr("Read-only file system")))
      << result.err;
}

// A namespace whose maker was not allowed to give up groups, as a user's is.
TEST_F(UserNamespaceTest, JoinsOneThatDeniesGroups) {
  config_.linux.clear();
  config_.namespaces = str(R"({"type":"pid"},{"type":"mount"},{"type":"ipc"},{"type":"uts"},
                              {"type":"network"},{"type":"user","path":")",
                           scratch_.path("userns"), R"("})");
  scratch_.file("userns", "");
  const auto prepare = [&] {
    if (::unshare(CLONE_NEWNS) != 0) throw SystemError(errno, "unshare");
    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    Pipe ready = make_pipe();
    const pid_t pid = ::fork();
    if (pid == 0) {
      if (::unshare(CLONE_NEWUSER) != 0) ::_exit(1);
      for (const auto& [file, text] :
           {std::pair{"setgroups", "deny"}, {"uid_map", "0 0 1"}, {"gid_map", "0 0 1"}}) {
        write_all(open_file(str("/proc/self/", file), O_WRONLY), as_bytes(text), file);
      }
      write_all(ready.write, as_bytes("x"), "pipe");
      ::pause();
      ::_exit(0);
    }
    std::byte word{};
    read_some(ready.read, std::span(&word, 1), "pipe");
    const std::string ns = str("/proc/", pid, "/ns/user");
    ::mount(ns.c_str(), scratch_.path("userns").c_str(), nullptr, MS_BIND, nullptr);
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  };
  const std::vector<std::string> show{"sh", "-c", "id -u; cat /proc/self/setgroups"};
  const Result result = Process(plan_of(config_, show), streams_, prepare).finish();
  EXPECT_EQ(result.out, "0\ndeny\n") << result.err;
  config_.process = R"("user":{"uid":0,"gid":0,"additionalGids":[5]})";
  EXPECT_THAT(Process(plan_of(config_, show), streams_, prepare).finish().err,
              HasSubstr("set supplementary groups"));
}

}  // namespace
}  // namespace lade::runner::testing
