// The plans of configurations that other programs have written.
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "oci/runtime_spec_json.hpp"
#include "runner/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lade::runner {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Plan plan_of(const std::string& fixture, const PlanOptions& options = {}) {
  const Spec spec =
      parse_runtime_spec(read_file(str(LADE_FIXTURES, '/', fixture, ".json"), 1U << 20));
  return make_plan(spec, RootDirectory{"/rootfs"}, options);
}

TEST(RuntimePlan, OfRuncSpec) {
  EXPECT_EQ(dump(plan_of("runc", {.start = StartMode::when_told})),
            R"(clone pid network ipc uts mount
new session
hostname runc
loopback up
isolate mounts
root directory /rootfs
open procfs
mount /proc proc
mount /dev tmpfs nosuid strictatime mode=755 size=65536k
devices /dev/null=c1:3/0666 /dev/zero=c1:5/0666 /dev/full=c1:7/0666 /dev/random=c1:8/0666 /dev/urandom=c1:9/0666 /dev/tty=c5:0/0666
link /dev/fd -> /proc/self/fd
link /dev/stdin -> /proc/self/fd/0
link /dev/stdout -> /proc/self/fd/1
link /dev/stderr -> /proc/self/fd/2
link /dev/core -> /proc/kcore
link /dev/ptmx -> pts/ptmx
empty file /dev/console
mount /dev/pts devpts nosuid noexec ptmxmode=0666 mode=0620 gid=5
mount /dev/shm tmpfs nosuid nodev noexec mode=1777 size=65536k
mount /dev/mqueue mqueue nosuid nodev noexec
mount /sys sysfs ro nosuid nodev noexec
enter the cgroup
mount /sys/fs/cgroup own cgroups ro nosuid nodev noexec
pivot root
read-only root
read-only /proc/bus
read-only /proc/fs
read-only /proc/irq
read-only /proc/sys
read-only /proc/sysrq-trigger
mask /proc/acpi
mask /proc/asound
mask /proc/kcore
mask /proc/keys
mask /proc/latency_stats
mask /proc/timer_list
mask /proc/timer_stats
mask /proc/sched_debug
mask /sys/firmware
mask /proc/scsi
user 0:0
terminal
stdio
working directory /
check capabilities
credentials bounding CAP_AUDIT_WRITE CAP_KILL CAP_NET_BIND_SERVICE effective CAP_AUDIT_WRITE CAP_KILL CAP_NET_BIND_SERVICE permitted CAP_AUDIT_WRITE CAP_KILL CAP_NET_BIND_SERVICE ambient CAP_AUDIT_WRITE CAP_KILL CAP_NET_BIND_SERVICE
no new privileges
find sh
wait for the start
limits RLIMIT_NOFILE=1024:1024
exec 'sh' with 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' 'TERM=xterm'
)");
}

TEST(RuntimePlan, OfThoseOfOthers) {
  for (const char* name : {"runc", "runc-rootless", "umoci", "podman-run", "podman-tty",
                           "podman-userns", "podman-privileged", "ctr"}) {
    const Plan plan = plan_of(name);
    EXPECT_THAT(plan.warnings, IsEmpty()) << name;
  }
  const std::string text = dump(plan_of("podman-tty"));
  EXPECT_THAT(text, HasSubstr("mount /scratch tmpfs nosuid nodev rprivate size=1m with what lies"));
  EXPECT_THAT(text, HasSubstr("bind /data from /srv/img with submounts ro rprivate\n"));
  EXPECT_THAT(text, HasSubstr("/dev/fuse=c10:229/0600"));
  EXPECT_THAT(text, HasSubstr("empty file /dev/console\n"));
  EXPECT_THAT(text, HasSubstr("limits RLIMIT_NOFILE=100:200 RLIMIT_NPROC="));
  EXPECT_THAT(text, HasSubstr("seccomp else SCMP_ACT_ERRNO, "));
  EXPECT_THAT(text, HasSubstr("user 1000:1000 +1000 +5\n"));
  EXPECT_THAT(text, HasSubstr(" umask 027\n"));
}

// pivot_root and a change of propagation would be the host's own.
TEST(RuntimePlan, WithoutAMountNamespaceTheHostKeepsItsRoot) {
  Spec spec;
  spec.process.args = {"true"};
  spec.namespaces = {{NamespaceKind::pid, ""}};
  const std::string text = dump(make_plan(spec, RootDirectory{"/rootfs"}));
  EXPECT_THAT(text, HasSubstr("\nroot among the host's mounts /rootfs\n"));
  EXPECT_THAT(text, HasSubstr("\nchange root\n"));
  EXPECT_THAT(text, Not(HasSubstr("pivot root")));
  EXPECT_THAT(text, Not(HasSubstr("isolate mounts")));
  EXPECT_THROW(make_plan(spec, OverlayConfig{}), UsageError);
}

}  // namespace
}  // namespace lade::runner
