// What `process` of a config.json asks for, looked at from inside.
#include "tests/runner/runtime_config.hpp"

#include <gmock/gmock.h>

namespace lade::runner::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RuntimeProcessTest : public RuntimeConfigTest {
 protected:
  /// Prints what four calls answer: one that is named, two with larger numbers, one with a smaller.
  static constexpr const char* k_calls =
      "import ctypes; libc = ctypes.CDLL(None, use_errno=True); "
      "print(*[(libc.syscall(n, -1, 0, 0, 0), ctypes.get_errno())[1] for n in (437, 440, 461, "
      "165)])";

  /// What an interpreter needs to get that far.
  static std::string python_calls() {
    const std::vector<std::string> names{"access",
                                         "arch_prctl",
                                         "brk",
                                         "close",
                                         "close_range",
                                         "dup",
                                         "epoll_create1",
                                         "execve",
                                         "exit",
                                         "exit_group",
                                         "faccessat",
                                         "faccessat2",
                                         "fcntl",
                                         "fstat",
                                         "futex",
                                         "getcwd",
                                         "getdents64",
                                         "getegid",
                                         "geteuid",
                                         "getgid",
                                         "getpid",
                                         "getrandom",
                                         "getuid",
                                         "ioctl",
                                         "lseek",
                                         "lstat",
                                         "mmap",
                                         "mprotect",
                                         "mremap",
                                         "munmap",
                                         "newfstatat",
                                         "open",
                                         "openat",
                                         "poll",
                                         "prctl",
                                         "pread64",
                                         "prlimit64",
                                         "read",
                                         "readlink",
                                         "readlinkat",
                                         "recvfrom",
                                         "recvmsg",
                                         "rseq",
                                         "rt_sigaction",
                                         "rt_sigprocmask",
                                         "rt_sigreturn",
                                         "sendto",
                                         "sendmsg",
                                         "set_robust_list",
                                         "set_tid_address",
                                         "setgroups",
                                         "setresgid",
                                         "setresuid",
                                         "capget",
                                         "capset",
                                         "sigaltstack",
                                         "stat",
                                         "statx",
                                         "sysinfo",
                                         "umask",
                                         "uname",
                                         "write",
                                         "writev",
                                         "gettid",
                                         "sched_getaffinity",
                                         "fstatfs",
                                         "statfs",
                                         "madvise",
                                         "getrlimit",
                                         "clock_gettime",
                                         "chdir",
                                         "fchdir"};
    return words(names).substr(1, words(names).size() - 2);
  }
};

TEST_F(RuntimeProcessTest, HasTheIdsAndGroups) {
  const Config config{.process = R"("user":{"uid":1000,"gid":7,"additionalGids":[5,6]})"};
  EXPECT_EQ(script(config, "id -u; id -g; id -G; echo $HOME").out, "1000\n7\n7 5 6\n/home/alice\n");
}

// CVE-2022-2989: supplementary groups that nobody asked for.
TEST_F(RuntimeProcessTest, HasNoOtherGroups) {
  EXPECT_EQ(script({.process = R"("user":{"uid":1000,"gid":1000})"}, "id -G").out, "1000\n");
}

TEST_F(RuntimeProcessTest, HasTheUmask) {
  EXPECT_EQ(script({.process = R"("user":{"umask":63})"}, "umask").out, "0077\n");
  EXPECT_EQ(script({}, "umask").out, "0022\n");
}

TEST_F(RuntimeProcessTest, OfVariablesTheLastOneCounts) {
  EXPECT_EQ(run({.process = R"("env":["A=1","PATH=/bin","A=2","HOME=/x"])"}, {"env"}).out,
            "A=2\nPATH=/bin\nHOME=/x\n");
}

TEST_F(RuntimeProcessTest, HasTheLimits) {
  const Config config{.process = R"("rlimits":[{"type":"RLIMIT_NOFILE","soft":100,"hard":200},
                                              {"type":"RLIMIT_CORE","soft":0,"hard":0}])"};
  const std::string limits = run(config, {"cat", "/proc/self/limits"}).out;
  EXPECT_THAT(limits, HasSubstr("Max open files            100                  200 "));
  EXPECT_THAT(limits, HasSubstr("Max core file size        0                    0 "));
}

// CVE-2022-24769 and others: inheritable capabilities only when they were asked for.
TEST_F(RuntimeProcessTest, HasTheFiveSets) {
  const std::string grep = "grep -E '^Cap' /proc/self/status";
  EXPECT_EQ(script({}, grep).out,
            "CapInh:\t0000000000000000\nCapPrm:\t00000000000000a3\nCapEff:\t00000000000000a3\n"
            "CapBnd:\t00000000000000a3\nCapAmb:\t0000000000000000\n");
  const Config config{.process = R"("user":{"uid":1000},"capabilities":{
      "bounding":["CAP_KILL","CAP_CHOWN"],"effective":["CAP_CHOWN"],
      "permitted":["CAP_CHOWN","CAP_KILL"],"inheritable":["CAP_KILL"],"ambient":["CAP_KILL"]})"};
  EXPECT_EQ(script(config, grep).out,
            "CapInh:\t0000000000000020\nCapPrm:\t0000000000000020\nCapEff:\t0000000000000020\n"
            "CapBnd:\t0000000000000021\nCapAmb:\t0000000000000020\n");
}

TEST_F(RuntimeProcessTest, WarnsOfCapabilitiesThatCannotBe) {
  const Config config{.process = R"("capabilities":{"bounding":["CAP_KILL","CAP_FOO"],
      "permitted":["CAP_KILL","CAP_FOO"],"effective":["CAP_KILL"],"inheritable":["CAP_CHOWN"]})"};
  const Result result = script(config, "grep -E '^Cap(Inh|Eff)' /proc/self/status");
  EXPECT_EQ(result.out, "CapInh:\t0000000000000000\nCapEff:\t0000000000000020\n");
  EXPECT_EQ(result.err,
            "note: capability `CAP_FOO` cannot be granted\n"
            "note: capability `CAP_CHOWN` cannot be granted\n");
}

TEST_F(RuntimeProcessTest, MakesTheWorkingDirectory) {
  EXPECT_EQ(run({.process = R"("cwd":"/new/one")"}, {"pwd"}).out, "/new/one\n");
}

// CVE-2024-21626
TEST_F(RuntimeProcessTest, RefusesAWorkingDirectoryThroughADescriptor) {
  for (int fd = 3; fd < 20; ++fd) {
    const Result result = run({.process = str(R"("cwd":"/proc/self/fd/)", fd, '"')}, {"pwd"});
    EXPECT_NE(result.code, 0) << fd;
    EXPECT_EQ(result.out, "") << fd;
  }
}

TEST_F(RuntimeProcessTest, TellsWhatCannotBeExecuted) {
  scratch_.file("rootfs/bin/plain", "text\n");
  const auto attempt = [&](const std::string& name) {
    const Result result = run({}, {name});
    return str(result.code, ' ', result.err);
  };
  EXPECT_EQ(attempt("nope"), "127 lade: exec `nope`: executable file not found in $PATH\n");
  EXPECT_EQ(attempt("/nope"), "127 lade: exec `/nope`: no such file or directory\n");
  EXPECT_EQ(attempt("plain"), "126 lade: exec `plain`: permission denied\n");
  EXPECT_EQ(attempt("/bin/plain"), "126 lade: exec `/bin/plain`: permission denied\n");
  EXPECT_EQ(attempt("/etc"), "126 lade: exec `/etc`: permission denied\n");
}

TEST_F(RuntimeProcessTest, HasTheFilter) {
  const std::string rule =
      R"("seccomp":{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],
         "syscalls":[{"names":["chmod","fchmodat","fchmodat2"],"action":"SCMP_ACT_ERRNO",
         "errnoRet":37},{"names":["no_such_call"],"action":"SCMP_ACT_KILL"}]})";
  for (const char* privileges : {R"("noNewPrivileges":true)", R"("noNewPrivileges":false)"}) {
    const Config config{.process = privileges, .linux = rule};
    EXPECT_THAT(script(config, "touch /tmp/x; chmod 600 /tmp/x").err,
                HasSubstr("No locks available"))
        << privileges;
  }
  EXPECT_EQ(script({}, "grep Seccomp: /proc/self/status").out, "Seccomp:\t0\n");
}

TEST_F(RuntimeProcessTest, TheFilterComparesArguments) {
  const Config config{.linux = R"("seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
      {"names":["fchmodat","chmod"],"action":"SCMP_ACT_ERRNO","args":[
      {"index":1,"value":511,"op":"SCMP_CMP_EQ"}]},
      {"names":["fchmodat","chmod"],"action":"SCMP_ACT_ERRNO","args":[
      {"index":2,"value":511,"op":"SCMP_CMP_EQ"}]}]})"};
  EXPECT_EQ(script(config, "touch /tmp/x; chmod 700 /tmp/x && echo yes").out, "yes\n");
  EXPECT_THAT(script(config, "touch /tmp/x; chmod 777 /tmp/x").err,
              HasSubstr("Operation not permitted"));
}

// What a profile that refuses does not know yet, does not exist: programs fall back then.
TEST_F(RuntimeProcessTest, CallsNewerThanTheFilterAreMissing) {
  if (::access("/usr/bin/python3", X_OK) != 0) GTEST_SKIP() << "there is no python3";
  const auto answers = [&](const std::string& more) {
    const std::string seccomp = str(R"("seccomp":{"defaultAction":"SCMP_ACT_ERRNO")", more,
                                    R"(,"syscalls":[{"names":["openat2"],"action":"SCMP_ACT_ERRNO",
                                    "errnoRet":5},{"action":"SCMP_ACT_ALLOW","names":[)",
                                    python_calls(), "]}]}");
    const Config config{.linux = seccomp,
                        .mounts = R"({"destination":"/usr","type":"bind","source":"/usr",
                                      "options":["rbind","ro"]},
                                     {"destination":"/lib64","type":"bind","source":"/lib64",
                                      "options":["rbind","ro"]},
                                     {"destination":"/lib","type":"bind","source":"/lib",
                                      "options":["rbind","ro"]})"};
    const Result result = run(config, {"/usr/bin/python3", "-Sc", k_calls});
    return result.out + result.err;
  };
  // 437 is openat2, 439 the newest that is named; 165 is mount.
  EXPECT_EQ(answers(""), "5 38 38 1\n");
  EXPECT_EQ(answers(R"(,"defaultErrnoRet":1)"), "5 38 38 1\n");
  EXPECT_EQ(answers(R"(,"defaultErrnoRet":13)"), "5 13 13 13\n");
}

// A profile from before Linux 5.8 refuses faccessat2 with EPERM, and lade looks for the program
// when the filter is there already.
TEST_F(RuntimeProcessTest, FindsTheProgramUnderAnOldFilter) {
  const Config config{.linux = R"("seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
      {"names":["faccessat2"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]})"};
  EXPECT_EQ(script(config, "echo found").out, "found\n");
  EXPECT_THAT(run(config, {"no-such"}).err, HasSubstr("executable file not found"));
}

TEST_F(RuntimeProcessTest, HasTheNames) {
  const Config config{.root = R"("hostname":"box","domainname":"corner")"};
  EXPECT_EQ(script(config, "hostname; cat /proc/sys/kernel/domainname").out, "box\ncorner\n");
}

TEST_F(RuntimeProcessTest, SetsSysctlsOfItsOwnNamespacesOnly) {
  EXPECT_EQ(run({.linux = R"("sysctl":{"net.ipv4.conf.lo.forwarding":"1","kernel.msgmax":"9000"})"},
                {"cat", "/proc/sys/net/ipv4/conf/lo/forwarding", "/proc/sys/kernel/msgmax"})
                .out,
            "1\n9000\n");
  EXPECT_THROW(plan_of({.linux = R"("sysctl":{"vm.swappiness":"1"})"}, {"sh"}), UsageError);
  EXPECT_THROW(plan_of({.linux = R"("sysctl":{"net.ipv4.ip_forward":"1"})",
                        .namespaces = R"({"type":"mount"})"},
                       {"sh"}),
               UsageError);
}

}  // namespace
}  // namespace lade::runner::testing
