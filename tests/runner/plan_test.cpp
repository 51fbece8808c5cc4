#include "runner/plan.hpp"

#include "base/error.hpp"
#include "runner/make_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/mount.h>

namespace lade::runner {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

RunOptions options() {
  RunOptions options;
  options.container_id = "0123456789abcdef";
  options.args = {"echo", "it's\n"};
  return options;
}

OverlayConfig overlay() {
  return {.lowers = {"/layers/2", "/layers/1"}, .upper = "/c/upper", .work = "/c/work"};
}

// What a container is, from the first step to the last. A change here is a change of what every
// container gets.
TEST(Dump, TellsTheWholePlan) {
  EXPECT_EQ(dump(make_plan(make_spec(ImageConfig{}, options()), overlay())),
            R"(clone mount pid uts ipc network
new session
hostname 0123456789ab
loopback up
isolate mounts
root overlay lower '/layers/2' '/layers/1' upper '/c/upper' work '/c/work'
open procfs
sysctl net/ipv4/ping_group_range = 0 0
mount /proc proc nosuid nodev noexec
mount /dev tmpfs nosuid noexec strictatime mode=755 size=65536k
devices /dev/null=c1:3/0666 /dev/zero=c1:5/0666 /dev/full=c1:7/0666 /dev/random=c1:8/0666 /dev/urandom=c1:9/0666 /dev/tty=c5:0/0666
link /dev/fd -> /proc/self/fd
link /dev/stdin -> /proc/self/fd/0
link /dev/stdout -> /proc/self/fd/1
link /dev/stderr -> /proc/self/fd/2
link /dev/core -> /proc/kcore
link /dev/ptmx -> pts/ptmx
mount /sys sysfs ro nosuid nodev noexec
mount /dev/pts devpts nosuid noexec ptmxmode=0666 mode=0620 gid=5
mount /dev/mqueue mqueue nosuid nodev noexec
mount /dev/shm tmpfs nosuid nodev noexec mode=1777 size=65536k
enter the cgroup
unshare cgroup
mount /sys/fs/cgroup cgroups ro nosuid nodev noexec
file /etc/hostname '0123456789ab\x0a'
file /etc/hosts '127.0.0.1\x09localhost\x0a::1\x09localhost\x0a127.0.0.1\x090123456789ab\x0a'
pivot root
read-only /proc/asound
read-only /proc/bus
read-only /proc/fs
read-only /proc/irq
read-only /proc/sys
read-only /proc/sysrq-trigger
mask /proc/acpi
mask /proc/kcore
mask /proc/keys
mask /proc/latency_stats
mask /proc/timer_list
mask /proc/timer_stats
mask /proc/sched_debug
mask /proc/scsi
mask /proc/interrupts
mask /sys/firmware
mask /sys/fs/selinux
mask /sys/dev/block
mask /sys/devices/virtual/powercap
user 0
stdio
working directory /
seccomp
credentials capabilities CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_NET_BIND_SERVICE CAP_SETFCAP CAP_SETGID CAP_SETPCAP CAP_SETUID CAP_SYS_CHROOT
exec 'echo' 'it's\x0a' with 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' 'container=lade' 'HOSTNAME=0123456789ab'
)");
}

TEST(Dump, ShowsWhatWasAskedFor) {
  RunOptions run = options();
  run.network = NetworkMode::host;
  run.terminal = Terminal::yes;
  run.root = RootAccess::read_only;
  run.user = "alice:staff";
  run.volumes = {parse_volume("/data:/mnt/data:ro"), parse_volume("./x:/x:rw,exec,rslave")};
  run.host_directory = "/home/u";
  ImageConfig image;
  image.process.working_dir = "/srv/app";
  const std::string text = dump(make_plan(make_spec(image, run), RootDirectory{"/rootfs"}));
  EXPECT_THAT(text, HasSubstr("clone mount pid uts ipc\n"));
  EXPECT_THAT(text, Not(HasSubstr("loopback")));
  EXPECT_THAT(text, HasSubstr("root directory /rootfs\n"));
  EXPECT_THAT(
      text,
      HasSubstr("bind /mnt/data from /data with submounts ro nosuid nodev recursively rprivate\n"));
  EXPECT_THAT(
      text, HasSubstr("bind /x from /home/u/./x with submounts nosuid nodev recursively rslave\n"));
  EXPECT_THAT(text, HasSubstr("directory /srv/app\n"));
  EXPECT_THAT(text, HasSubstr("read-only root\n"));
  EXPECT_THAT(text, HasSubstr("user alice:staff\nterminal\nstdio\nworking directory /srv/app\n"));
}

const step::BindMount& bind_of(const Plan& plan) {
  for (const Step& step : plan.steps) {
    if (const auto* bind = std::get_if<step::BindMount>(&step)) return *bind;
  }
  throw Error("no bind in the plan");
}

Plan plan_with_bind(std::vector<std::string> mount_options) {
  Spec spec;
  spec.mounts = {{"/x", "bind", "/y", std::move(mount_options)}};
  return make_plan(spec, RootDirectory{"/"});
}

TEST(MountOptions, TheLastOneWins) {
  EXPECT_EQ(bind_of(plan_with_bind({"ro", "rw"})).flags.attributes, 0U);
  EXPECT_EQ(bind_of(plan_with_bind({"ro", "rw"})).flags.cleared, std::uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(bind_of(plan_with_bind({"rw", "ro"})).flags.cleared, 0U);
}

TEST(MountOptions, RecursiveOnesReachSubmounts) {
  EXPECT_FALSE(bind_of(plan_with_bind({"ro"})).flags.deep_attributes);
  EXPECT_TRUE(bind_of(plan_with_bind({"rro"})).flags.deep_attributes);
  EXPECT_TRUE(bind_of(plan_with_bind({"rbind"})).with_submounts);
  EXPECT_FALSE(bind_of(plan_with_bind({"bind"})).with_submounts);
}

TEST(MountOptions, ABindTakesNoDataOfAFileSystem) {
  const Plan plan = plan_with_bind({"size=5"});
  EXPECT_THAT(plan.warnings, ElementsAre(HasSubstr("`size` means nothing to a bind mount")));
}

TEST(Plan, TheFilterComesLastWhenNewPrivilegesAreGivenUp) {
  Spec spec;
  spec.process.no_new_privileges = true;
  spec.default_seccomp = true;
  const std::string text = dump(make_plan(spec, RootDirectory{"/"}));
  EXPECT_THAT(text,
              HasSubstr("credentials without capabilities\nno new privileges\nseccomp\nexec"));
}

}  // namespace
}  // namespace lade::runner
