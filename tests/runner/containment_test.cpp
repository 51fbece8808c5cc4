// What a container must not reach, and the ways in which images have tried to.
#include "tests/runner/container.hpp"

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>

namespace lade::runner::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ContainmentTest : public ContainerTest {};

TEST_F(ContainmentTest, HoldsElevenCapabilitiesAsRoot) {
  EXPECT_EQ(shell("grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status").out,
            "CapInh:\t0000000000000000\nCapPrm:\t00000000800405fb\nCapEff:\t00000000800405fb\n"
            "CapBnd:\t00000000800405fb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t2\n");
}

TEST_F(ContainmentTest, HoldsNoneAsAUser) {
  options_.user = "alice";
  EXPECT_EQ(shell("grep -E '^Cap' /proc/self/status").out,
            "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
            "CapBnd:\t00000000800405fb\nCapAmb:\t0000000000000000\n");
}

TEST_F(ContainmentTest, InheritsThreeDescriptors) {
  EXPECT_EQ(container({"ls", "/proc/self/fd"}).out, "0\n1\n2\n3\n");  // 3 is the listing's own.
}

TEST_F(ContainmentTest, HasTheDevicesOfOtherEnginesOnly) {
  EXPECT_EQ(shell("cd /dev; ls -A; readlink ptmx; stat -c '%n %t:%T %a %u' null zero full random "
                  "urandom tty; stat -c '%n %a' . shm mqueue pts")
                .out,
            "core\nfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nuran"
            "dom\nzero\n"
            "pts/ptmx\nnull 1:3 666 0\nzero 1:5 666 0\nfull 1:7 666 0\nrandom 1:8 666 0\n"
            "urandom 1:9 666 0\ntty 5:0 666 0\n. 755\nshm 1777\nmqueue 1777\npts 755\n");
}

/// The mounts as `target type options`, in order.
std::string mounts_of(const std::string& mountinfo) {
  std::string text;
  for (const std::string& line : split(mountinfo, '\n')) {
    const auto fields = split(line, ' ');
    const auto dash = line.find(" - ");
    if (fields.size() < 7 || dash == std::string::npos) continue;
    const std::string type = split(line.substr(dash + 3), ' ')[0];
    text += str(fields[4], ' ', type, ' ', fields[5], '\n');
  }
  return text;
}

TEST_F(ContainmentTest, HasTheMountsThatThePlanSays) {
  root_ = OverlayConfig{{rootfs()}, scratch_.path("upper"), scratch_.path("work"), false, true};
  const std::string mounts = mounts_of(container({"cat", "/proc/self/mountinfo"}).out);
  EXPECT_THAT(mounts, StartsWith("/ overlay rw,relatime\n"
                                 "/proc proc rw,nosuid,nodev,noexec,relatime\n"
                                 "/dev tmpfs rw,nosuid,noexec\n"
                                 "/sys sysfs ro,nosuid,nodev,noexec,relatime\n"
                                 "/dev/pts devpts rw,nosuid,noexec,relatime\n"
                                 "/dev/mqueue mqueue rw,nosuid,nodev,noexec,relatime\n"
                                 "/dev/shm tmpfs rw,nosuid,nodev,noexec,relatime\n"));
  EXPECT_THAT(mounts, HasSubstr("/proc/sys proc ro,nosuid,nodev,noexec,relatime\n"));
  EXPECT_THAT(mounts, HasSubstr("/proc/keys tmpfs ro,nosuid,noexec\n"));
  EXPECT_THAT(mounts, HasSubstr("/sys/firmware tmpfs ro,nosuid,nodev,noexec,relatime\n"));
}

// As on a host of systemd's, where every mount is shared with whoever copies it.
TEST_F(ContainmentTest, NoMountReachesAHostThatSharesItsOwn) {
  scratch_.directory("data");
  options_.volumes = {parse_volume(scratch_.path("data") + ":/data")};
  options_.args = {"cat", "/proc/self/mountinfo"};
  Process process(plan(), streams_, [&] {
    ::unshare(CLONE_NEWNS);
    ::mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr);
    const std::string before = read_file("/proc/self/mountinfo", 1U << 20);
    run(plan(), {}, printing_duties());
    if (read_file("/proc/self/mountinfo", 1U << 20) != before)
      std::printf("the host has changed\n");
    std::fflush(stdout);
    ::_exit(0);
  });
  const Result result = process.finish();
  EXPECT_THAT(result.out, HasSubstr(" /data "));
  EXPECT_THAT(result.out, AllOf(Not(HasSubstr("shared:")), Not(HasSubstr("master:"))));
  EXPECT_THAT(result.out, Not(HasSubstr("the host has changed")));
}

TEST_F(ContainmentTest, HidesAndProtectsPaths) {
  // Opened for writing and not written to: without the protection this would be the host's.
  const Result result = shell(
      "cat /proc/keys /proc/timer_list /proc/kcore; ls -A /sys/firmware /proc/acpi;"
      "true >> /proc/sys/kernel/core_pattern; true >> /sys/new;"
      "true >> /sys/fs/cgroup/new");
  EXPECT_EQ(result.out, "/proc/acpi:\n\n/sys/firmware:\n");
  for (const char* path : {"core_pattern", "/sys/new", "/sys/fs/cgroup/new"}) {
    EXPECT_THAT(result.err, HasSubstr(str(path, ": Read-only file system")));
  }
}

TEST_F(ContainmentTest, SeesTheCgroupsReadOnly) {
  const Result result = shell("grep -E ' /sys/fs/cgroup' /proc/self/mounts | grep -vc ' ro,'");
  EXPECT_EQ(result.out, "0\n");
}

TEST_F(ContainmentTest, SeesOnlyItsOwnProcesses) {
  EXPECT_EQ(shell("echo /proc/[0-9]*").out, "/proc/1\n");
}

// CVE-2024-21626: a working directory that is a descriptor of the runtime's.
TEST_F(ContainmentTest, RefusesAWorkingDirectoryThroughADescriptor) {
  for (int fd = 0; fd < 20; ++fd) {
    for (const char* self : {"self", "1", "thread-self"}) {
      options_.workdir = str("/proc/", self, "/fd/", fd);
      const Result result = shell("pwd; ls ..");
      EXPECT_NE(result.code, 0) << *options_.workdir << result.out;
      EXPECT_EQ(result.out, "");
    }
  }
  options_.workdir.reset();
  image_.process.working_dir = "/proc/self/fd/7/../../..";
  EXPECT_NE(shell("pwd").code, 0);
}

// CVE-2019-16884, CVE-2023-27561 and their kind: what is mounted is not where it is looked for.
TEST_F(ContainmentTest, RefusesLinksInPlaceOfSystemDirectories) {
  for (const char* name : {"proc", "sys", "dev"}) {
    ASSERT_EQ(::rmdir(rootfs(name).c_str()), 0);
    scratch_.directory("rootfs/evil");
    scratch_.link(str("rootfs/", name), "/evil");
    const Result result = container({"true"});
    EXPECT_EQ(result.code, 125) << name;
    EXPECT_THAT(result.err, AllOf(StartsWith(str("lade: mount /", name, ": ")),
                                  HasSubstr("a symbolic link is in the way")))
        << name;
    ASSERT_EQ(::unlink(rootfs(name).c_str()), 0);
    scratch_.directory(str("rootfs/", name));
  }
}

// CVE-2026-41579, CVE-2021-30465: nodes or mounts made on the host.
TEST_F(ContainmentTest, ResolvesMountTargetsWithinTheRoot) {
  scratch_.directory("outside");
  scratch_.directory("data");
  scratch_.file("data/file", "x");
  scratch_.link("rootfs/up", "../../../../../../../../" + scratch_.path("outside"));
  options_.volumes = {parse_volume(scratch_.path("data") + ":/up/made")};
  // There is no such directory in the container, and none is made through a link.
  EXPECT_EQ(container({"true"}).code, 125);
  EXPECT_TRUE(Directory::open(scratch_.path("outside")).list().empty());
  Directory::ensure(rootfs() + scratch_.path("outside"), 0755);
  EXPECT_EQ(container({"cat", "/up/made/file"}).out, "x");
  EXPECT_TRUE(Directory::open(scratch_.path("outside")).list().empty());
  EXPECT_EQ(::access((rootfs() + scratch_.path("outside/made")).c_str(), F_OK), 0);
}

// CVE-2024-9676: a user database without an end, or that blocks whoever opens it.
TEST_F(ContainmentTest, ReadsUserFilesThatAreFilesOnly) {
  const std::string passwd = rootfs("etc/passwd");
  const auto expect_refused = [&](const char* why, const char* said = "") {
    const Result result = container({"true"});
    EXPECT_EQ(result.code, 125) << why;
    EXPECT_THAT(result.err, AllOf(HasSubstr("/etc/passwd"), HasSubstr(said))) << why;
    ::unlink(passwd.c_str());
  };
  ::unlink(passwd.c_str());
  ASSERT_EQ(::mkfifo(passwd.c_str(), 0644), 0);
  expect_refused("a FIFO", "not a regular file");
  scratch_.link("rootfs/etc/passwd", "/dev/zero");
  expect_refused("an endless device", "not a regular file");
  scratch_.link("rootfs/etc/passwd", "/proc/self/fd/0");
  expect_refused("a descriptor");
  scratch_.file("rootfs/etc/passwd", std::string(2 << 20, 'x'));
  expect_refused("too large");
}

TEST_F(ContainmentTest, ReadsTheContainersUserFilesOnly) {
  ::unlink(rootfs("etc/passwd").c_str());
  scratch_.file("secret", "host:x:777:777::/:/bin/sh\n");
  scratch_.link("rootfs/etc/passwd", scratch_.path("secret"));
  options_.user = "host";
  EXPECT_EQ(container({"id"}).code, 126);
}

// CVE-2019-5736: a container that executes the runtime could then write to its file.
TEST_F(ContainmentTest, DoesNotExecuteLadeItself) {
  scratch_.link("rootfs/bin/lade", "/proc/self/exe");
  scratch_.file("rootfs/bin/script", "#!/proc/self/exe\n", 0755);
  scratch_.file("rootfs/bin/outer", "#!/bin/script\n", 0755);
  for (const char* name : {"/proc/self/exe", "/bin/lade", "script", "outer"}) {
    const Result result = container({name});
    EXPECT_EQ(result.code, 126) << name;
    EXPECT_THAT(result.err, HasSubstr("permission denied")) << name;
  }
}

// CVE-2025-31133: what hides a path is itself a link or a file of the image's.
TEST_F(ContainmentTest, MasksWithTheRealNullDeviceOnly) {
  Spec spec = make_spec(image_, [&] {
    RunOptions run = options_;
    run.args = {"true"};
    return run;
  }());
  std::erase_if(spec.mounts,
                [](const SpecMount& mount) { return mount.destination.starts_with("/dev"); });
  spec.files.clear();
  // A /dev that is bound is left as it is, so that nobody has made its null device.
  Spec bound = spec;
  bound.mounts.push_back({"/dev", "bind", scratch_.path("dev"), {"rbind"}});
  scratch_.directory("dev");
  scratch_.file("dev/null", "");
  const Result fake = Process(make_plan(bound, root_), {}).finish();
  EXPECT_EQ(fake.code, 125);
  EXPECT_THAT(fake.err, HasSubstr("it is not the null device"));
  ::unlink(scratch_.path("dev/null").c_str());
  scratch_.link("dev/null", "/proc/sys/kernel/core_pattern");
  EXPECT_THAT(Process(make_plan(bound, root_), {}).finish().err,
              HasSubstr("it is not the null device"));
  // In a /dev of the image's the nodes are made, over whatever it has in their place.
  spec.process.args = {"stat", "-c", "%F %t:%T", "/dev/null"};
  for (const bool link : {false, true}) {
    ::unlink(rootfs("dev/null").c_str());
    if (link) {
      scratch_.link("rootfs/dev/null", "/proc/sys/kernel/core_pattern");
    } else {
      scratch_.file("rootfs/dev/null", "");
    }
    EXPECT_EQ(Process(make_plan(spec, root_), {}).finish().out, "character special file 1:3\n");
  }
}

TEST_F(ContainmentTest, CannotMakeNamespacesOrDevices) {
  EXPECT_NE(shell("/bin/busybox unshare -U true").code, 0);
  EXPECT_NE(shell("/bin/busybox mknod /tmp/x c 1 3").code, 0);
  EXPECT_NE(shell("/bin/busybox mount -t tmpfs x /tmp").code, 0);
}

TEST_F(ContainmentTest, DoesNotInheritTheCallersState) {
  ::umask(0);
  ::signal(SIGPIPE, SIG_IGN);
  const Result result = container({"grep", "-E", "^(Umask|SigBlk|SigIgn)", "/proc/self/status"});
  ::signal(SIGPIPE, SIG_DFL);
  ::umask(022);
  EXPECT_EQ(result.out, "Umask:\t0022\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

}  // namespace
}  // namespace lade::runner::testing
