// How the kernel treats the program of a config.json: scheduler, processors, memory, labels.
#include "runner/labels.hpp"
#include "tests/runner/runtime_config.hpp"

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/resource.h>

namespace lade::runner::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class RuntimeTreatmentTest : public RuntimeConfigTest {
 protected:
  /// A field of proc(5)'s /proc/PID/stat, counted from 1, of a program that says nothing else.
  std::string stat_field(const Config& config, std::size_t number) {
    const Result result = run(config, {"cat", "/proc/self/stat"});
    const std::vector<std::string> words = split(result.out, ' ');
    return number <= words.size() ? words[number - 1] : result.err;
  }
};

TEST_F(RuntimeTreatmentTest, HasTheScheduler) {
  const Config config{
      .process =
          R"("scheduler":{"policy":"SCHED_BATCH","nice":7,"flags":["SCHED_FLAG_RESET_ON_FORK"]})"};
  EXPECT_EQ(stat_field(config, 41), str(SCHED_BATCH));
  EXPECT_EQ(stat_field(config, 19), "7");
  EXPECT_EQ(stat_field({}, 41), str(SCHED_OTHER));
}

TEST_F(RuntimeTreatmentTest, RefusesParametersThatThePolicyHasNot) {
  for (const char* scheduler :
       {R"({"policy":"SCHED_BATCH","priority":5})", R"({"policy":"SCHED_FIFO","runtime":5})",
        R"({"policy":"SCHED_OTHER","period":5})", R"({"policy":"SCHED_OTHER","nice":20})"}) {
    EXPECT_THROW(plan_of({.process = str(R"("scheduler":)", scheduler)}, {"true"}), UsageError)
        << scheduler;
  }
}

TEST_F(RuntimeTreatmentTest, SaysThatASchedulerCannotBe) {
  const Result result =
      run({.process = R"("scheduler":{"policy":"SCHED_ISO"})"}, {"echo", "never"});
  EXPECT_EQ(result.code, 125);
  EXPECT_THAT(result.err, HasSubstr("scheduler: set the scheduler SCHED_ISO: Invalid argument"));
}

TEST_F(RuntimeTreatmentTest, HasTheIoPriority) {
  const Config config{.process = R"("ioPriority":{"class":"IOPRIO_CLASS_BE","priority":6})"};
  scratch_.link("rootfs/bin/ionice", "busybox");
  EXPECT_THAT(script(config, "ionice -p $$").out, HasSubstr("best-effort: prio 6"));
}

TEST_F(RuntimeTreatmentTest, HasThePersonality) {
  scratch_.link("rootfs/bin/uname", "busybox");
  const std::string own = run({}, {"uname", "-m"}).out;
  if (own != "x86_64\n") GTEST_SKIP() << "another machine: " << own;
  EXPECT_EQ(run({.linux = R"("personality":{"domain":"LINUX32"})"}, {"uname", "-m"}).out, "i686\n");
}

TEST_F(RuntimeTreatmentTest, HasTheMemoryPolicy) {
  if (::access("/proc/self/numa_maps", F_OK) != 0) GTEST_SKIP() << "a kernel without NUMA";
  const auto policy_of = [&](const std::string& linux) {
    return run({.linux = linux}, {"head", "-n1", "/proc/self/numa_maps"}).out;
  };
  EXPECT_THAT(policy_of(R"("memoryPolicy":{"mode":"MPOL_BIND","nodes":"0"})"),
              HasSubstr(" bind:0 "));
  EXPECT_THAT(policy_of(R"("memoryPolicy":{"mode":"MPOL_INTERLEAVE","nodes":"0",
                           "flags":["MPOL_F_STATIC_NODES"]})"),
              HasSubstr(" interleave=static:0 "));
  EXPECT_THAT(policy_of(""), HasSubstr(" default "));
  EXPECT_THAT(run({.linux = R"("memoryPolicy":{"mode":"MPOL_BIND","nodes":"8191"})"}, {"true"}).err,
              HasSubstr("memory policy"));
}

TEST_F(RuntimeTreatmentTest, HasTheProcessors) {
  const std::vector<std::string> show{"grep", "Cpus_allowed_list", "/proc/self/status"};
  const std::string all = run({}, show).out;
  if (all.ends_with("\t0\n")) GTEST_SKIP() << "there is one processor only";
  Plan plan = plan_of({}, show);
  plan.final_cpus = "0";
  EXPECT_EQ(Process(plan, streams_).finish().out, "Cpus_allowed_list:\t0\n");
  // Where the cgroup has processors, the affinity of whoever starts the container does not count.
  const auto confine = [] {
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    ::sched_setaffinity(0, sizeof first, &first);
  };
  const Config with_cpuset{.linux = R"("resources":{"cpu":{"cpus":"0-1"}})"};
  EXPECT_EQ(Process(plan_of({}, show), streams_, confine).finish().out, "Cpus_allowed_list:\t0\n");
  EXPECT_EQ(Process(plan_of(with_cpuset, show), streams_, confine).finish().out, all);
}

TEST_F(RuntimeTreatmentTest, AnotherProcessHasItsProcessors) {
  Spec spec = parse_runtime_spec(
      json({.process = R"("execCPUAffinity":{"initial":"0","final":"0-1"})"}, {"true"}));
  const Plan plan = make_exec_plan(spec);
  EXPECT_EQ(plan.initial_cpus, "0");
  EXPECT_EQ(plan.final_cpus, "0-1");
  EXPECT_EQ(make_plan(spec, root_).initial_cpus, "") << "they are for exec only";
}

TEST_F(RuntimeTreatmentTest, HasTheOomScore) {
  const Config config{.process = R"("oomScoreAdj":321)"};
  EXPECT_EQ(run(config, {"cat", "/proc/self/oom_score_adj"}).out, "321\n");
  EXPECT_EQ(run({}, {"cat", "/proc/self/oom_score_adj"}).out,
            read_file("/proc/self/oom_score_adj", 64));
}

TEST_F(RuntimeTreatmentTest, SaysThatThereIsNoAppArmor) {
  if (::access("/proc/self/attr/apparmor", F_OK) == 0) GTEST_SKIP() << "there is one";
  const Result result = run({.process = R"("apparmorProfile":"box")"}, {"true"});
  EXPECT_EQ(result.code, 125);
  EXPECT_THAT(result.err, HasSubstr("AppArmor profile `box`: this host has no AppArmor"));
  EXPECT_EQ(run({.process = R"("apparmorProfile":"unconfined")"}, {"true"}).code, 0);
}

TEST_F(RuntimeTreatmentTest, SaysThatThereIsNoSeLinux) {
  if (has_selinux(open_file("/proc", O_PATH | O_DIRECTORY))) GTEST_SKIP() << "there is one";
  const Result process = run({.process = R"("selinuxLabel":"a:b:c:s0")"}, {"true"});
  EXPECT_EQ(process.code, 125);
  EXPECT_THAT(process.err, HasSubstr("SELinux label `a:b:c:s0`: this host has no SELinux"));
  const Result mount = run({.linux = R"("mountLabel":"a:b:c:s0")"}, {"true"});
  EXPECT_EQ(mount.code, 0);
  EXPECT_THAT(mount.err, StartsWith("note: mounts are without the label `a:b:c:s0`"));
}

// The write goes to the procfs itself: whatever the configuration has mounted over a part of it
// gets nothing, and the container does not start without its label (CVE-2025-52881).
TEST_F(RuntimeTreatmentTest, LabelsAreNotWrittenElsewhere) {
  scratch_.directory("rootfs/volume/apparmor");
  scratch_.file("rootfs/volume/apparmor/exec", "");
  const Config config{
      .process = R"("apparmorProfile":"box")",
      .mounts = str(R"({"destination":"/proc/1/attr","type":"bind","source":")", rootfs("volume"),
                    R"(","options":["bind"]},)",
                    R"({"destination":"/proc/1/task/1/attr","type":"bind","source":")",
                    rootfs("volume"), R"(","options":["bind"]})")};
  EXPECT_THAT(run(config, {"true"}).err, HasSubstr("is mounted over it"));
  EXPECT_EQ(read_file(rootfs("volume/apparmor/exec"), 64), "");
}

TEST_F(RuntimeTreatmentTest, RaisesNoHardLimitThatItMayNot) {
  struct rlimit now {};
  ::getrlimit(RLIMIT_NOFILE, &now);
  const Config config{.process = str(R"("rlimits":[{"type":"RLIMIT_NOFILE","soft":64,"hard":)",
                                     now.rlim_max + 1, "}]")};
  const Result result = script(config, "ulimit -Hn");
  // With CAP_SYS_RESOURCE it is done, without it is said.
  if (result.code == 0) {
    EXPECT_EQ(result.out, str(now.rlim_max + 1, '\n'));
  } else {
    EXPECT_THAT(result.err, HasSubstr("set RLIMIT_NOFILE to 64:"));
  }
}

// Limits bind the program, not what lade still has to do for it.
TEST_F(RuntimeTreatmentTest, TinyLimitsAreForTheProgramOnly) {
  for (const char* privileges : {"true", "false"}) {
    const Config config{.process = str(R"("noNewPrivileges":)", privileges,
                                       R"(,"rlimits":[{"type":"RLIMIT_NOFILE","soft":4,"hard":4},
                                     {"type":"RLIMIT_FSIZE","soft":0,"hard":0}])"),
                        .linux = R"("seccomp":{"defaultAction":"SCMP_ACT_ALLOW"})"};
    EXPECT_THAT(run(config, {"cat", "/proc/self/limits"}).out,
                HasSubstr("Max open files            4                    4 "));
  }
}

}  // namespace
}  // namespace lade::runner::testing
