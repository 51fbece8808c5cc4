#include "oci/runtime_spec_json.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace lade {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A configuration with these members of `process`, of `linux` and of the document itself.
struct Parts {
  std::string process;
  std::string linux;
  std::string root;
};

std::string document(const Parts& parts) {
  const auto member = [](const std::string& text) { return text.empty() ? "" : "," + text; };
  return str(R"({"ociVersion":"1.0.2","root":{"path":"rootfs"},"process":{"args":["sh"],"cwd":"/")",
             member(parts.process), R"(},"linux":{"maskedPaths":[])", member(parts.linux), "}",
             member(parts.root), "}");
}

Spec parse(const Parts& parts) {
  return parse_runtime_spec(document(parts));
}

/// The message with which a configuration is refused.
std::string refusal(const std::string& json) {
  try {
    parse_runtime_spec(json);
  } catch (const InvalidData& error) {
    return error.what();
  }
  return "accepted";
}
std::string refusal_of(const Parts& parts) {
  return refusal(document(parts));
}

Spec parse_fixture(const std::string& name) {
  return parse_runtime_spec(read_file(str(LADE_FIXTURES, '/', name, ".json"), 1U << 20));
}

const SpecMount& mount_on(const Spec& spec, std::string_view destination) {
  const auto found =
      std::find_if(spec.mounts.begin(), spec.mounts.end(),
                   [&](const SpecMount& mount) { return mount.destination == destination; });
  if (found == spec.mounts.end()) throw Error(str("no mount on ", destination));
  return *found;
}

TEST(RuntimeSpec, TheLeastThatIsOne) {
  const Spec spec = parse_runtime_spec(R"({"ociVersion":"1.2.0-dev","root":{"path":"/r"}})");
  EXPECT_EQ(spec.version, "1.2.0-dev");
  EXPECT_EQ(spec.root_path, "/r");
  EXPECT_THAT(spec.process.args, IsEmpty());
  EXPECT_FALSE(spec.seccomp);
  EXPECT_FALSE(spec.default_seccomp);
}

TEST(RuntimeSpec, UnknownPropertiesAreIgnored) {
  EXPECT_EQ(
      refusal_of({.process = R"("new":1)", .linux = R"("new":{})", .root = R"("windows":[])"}),
      "accepted");
}

TEST(RuntimeSpec, NullIsAbsent) {
  const Spec spec = parse({.process = R"("rlimits":null,"user":null)",
                           .linux = R"("seccomp":null,"resources":null)",
                           .root = R"("mounts":null,"hooks":null,"annotations":null)"});
  EXPECT_THAT(spec.process.rlimits, IsEmpty());
  ASSERT_TRUE(spec.process.user.ids);
  EXPECT_EQ(spec.process.user.ids->uid, 0U);
}

TEST(RuntimeSpec, Process) {
  const SpecProcess process =
      parse({.process = R"("terminal":true,"consoleSize":{"height":24,"width":80},
        "user":{"uid":1000,"gid":100,"umask":63,"additionalGids":[5,6]},"env":["A=1","B="],
        "capabilities":{"bounding":["CAP_KILL"],"effective":[],"inheritable":["CAP_CHOWN"],
        "permitted":["CAP_KILL"],"ambient":["CAP_SETUID"]},
        "rlimits":[{"type":"RLIMIT_NOFILE","soft":1,"hard":18446744073709551615}],
        "noNewPrivileges":true,"oomScoreAdj":-500,"apparmorProfile":"a","selinuxLabel":"s",
        "scheduler":{"policy":"SCHED_BATCH","nice":-5,"flags":["SCHED_FLAG_RESET_ON_FORK"]},
        "ioPriority":{"class":"IOPRIO_CLASS_BE","priority":4},
        "execCPUAffinity":{"initial":"0","final":"0-3,7"})"})
          .process;
  EXPECT_TRUE(process.terminal);
  EXPECT_EQ(process.console_size->height, 24);
  EXPECT_EQ(process.console_size->width, 80);
  EXPECT_EQ(process.user.ids->uid, 1000U);
  EXPECT_EQ(process.user.ids->gid, 100U);
  EXPECT_THAT(process.user.ids->additional_gids, ElementsAre(5, 6));
  EXPECT_EQ(process.user.umask, 077U);
  EXPECT_THAT(process.env, ElementsAre("A=1", "B="));
  EXPECT_THAT(process.capabilities.bounding, ElementsAre("CAP_KILL"));
  EXPECT_THAT(process.capabilities.effective, IsEmpty());
  EXPECT_THAT(process.capabilities.inheritable, ElementsAre("CAP_CHOWN"));
  EXPECT_THAT(process.capabilities.permitted, ElementsAre("CAP_KILL"));
  EXPECT_THAT(process.capabilities.ambient, ElementsAre("CAP_SETUID"));
  EXPECT_EQ(process.rlimits.at(0).hard, UINT64_MAX);
  EXPECT_TRUE(process.no_new_privileges);
  EXPECT_EQ(process.oom_score_adj, -500);
  EXPECT_EQ(process.apparmor_profile, "a");
  EXPECT_EQ(process.selinux_label, "s");
  EXPECT_EQ(process.scheduler->policy, "SCHED_BATCH");
  EXPECT_EQ(process.scheduler->nice, -5);
  EXPECT_EQ(process.io_priority->class_name, "IOPRIO_CLASS_BE");
  EXPECT_EQ(process.io_priority->priority, 4);
  EXPECT_EQ(process.initial_cpus, "0");
  EXPECT_EQ(process.final_cpus, "0-3,7");
}

TEST(RuntimeSpec, AConsoleSizeWithoutATerminalIsIgnored) {
  const Spec spec = parse({.process = R"("consoleSize":{"height":-1})"});
  EXPECT_FALSE(spec.process.console_size);
}

TEST(RuntimeSpec, RefusesProcessesThatCannotBe) {
  const auto process = [](const std::string& text) { return refusal_of({.process = text}); };
  EXPECT_THAT(process(R"("terminal":1)"), HasSubstr("`process.terminal` is not true or false"));
  EXPECT_THAT(process(R"("user":{"uid":-1})"), HasSubstr("`process.user.uid` is not an integer"));
  EXPECT_THAT(process(R"("user":{"uid":4294967295})"),
              HasSubstr("`process.user.uid` is not an id"));
  EXPECT_THAT(process(R"("user":{"uid":1.5})"), HasSubstr("`process.user.uid` is not an integer"));
  EXPECT_THAT(process(R"("user":{"additionalGids":[1,"2"]})"),
              HasSubstr("`process.user.additionalGids[1]` is not an integer"));
  EXPECT_THAT(process(R"("user":{"umask":512})"), HasSubstr("`process.user.umask`"));
  EXPECT_THAT(process(R"("env":["A=1","B"])"),
              HasSubstr("`process.env[1]` is `B`, not of the form"));
  EXPECT_THAT(process(R"("env":["=x"])"), HasSubstr("`process.env[0]`"));
  EXPECT_THAT(process(R"("env":["a=b",7])"), HasSubstr("`process.env[1]` is not a string"));
  EXPECT_THAT(process(R"("args":[])"), HasSubstr("`process.args` is empty"));
  EXPECT_THAT(process(R"("args":["a\u0000b"])"), HasSubstr("`process.args[0]` contains a NUL"));
  EXPECT_THAT(process(R"("cwd":"tmp")"), HasSubstr("`process.cwd` is not an absolute path"));
  EXPECT_THAT(process(R"("oomScoreAdj":1001)"), HasSubstr("`process.oomScoreAdj`"));
  EXPECT_THAT(process(R"("scheduler":{"policy":"SCHED_X"})"),
              HasSubstr("`process.scheduler.policy` is `SCHED_X`, which is unknown"));
  EXPECT_THAT(process(R"("scheduler":{})"), HasSubstr("`process.scheduler` lacks `policy`"));
  EXPECT_THAT(process(R"("ioPriority":{"class":"IOPRIO_CLASS_RT","priority":8})"),
              HasSubstr("`process.ioPriority.priority`"));
  EXPECT_THAT(process(R"("execCPUAffinity":{"initial":"3-1"})"),
              HasSubstr("`process.execCPUAffinity.initial` is not a list"));
  EXPECT_THAT(process(R"("terminal":true,"consoleSize":{"height":70000,"width":1})"),
              HasSubstr("`process.consoleSize.height` is not an integer from 0 to 65535"));
}

TEST(RuntimeSpec, RefusesLimitsThatCannotBe) {
  const auto limits = [](const std::string& text) {
    return refusal_of({.process = str(R"("rlimits":[)", text, "]")});
  };
  EXPECT_THAT(limits(R"({"type":"RLIMIT_FOO","soft":1,"hard":1})"),
              HasSubstr("`process.rlimits[0].type` is `RLIMIT_FOO`, which is unknown"));
  EXPECT_THAT(limits(R"({"type":"RLIMIT_CPU","soft":1,"hard":1},
                        {"type":"RLIMIT_CPU","soft":1,"hard":1})"),
              HasSubstr("`process.rlimits[1].type` is `RLIMIT_CPU`, which comes twice"));
  EXPECT_THAT(limits(R"({"type":"RLIMIT_CPU","soft":2,"hard":1})"),
              HasSubstr("`process.rlimits[0]` has a `soft` limit above"));
  EXPECT_THAT(limits(R"({"type":"RLIMIT_CPU","soft":2})"),
              HasSubstr("`process.rlimits[0]` lacks `hard`"));
  EXPECT_THAT(limits(R"({"type":"RLIMIT_CPU","soft":-1,"hard":1})"),
              HasSubstr("`process.rlimits[0].soft` is not an integer"));
  EXPECT_THAT(limits(R"({"type":"RLIMIT_CPU","soft":18446744073709551616,"hard":1})"),
              HasSubstr("`process.rlimits[0].soft` is not an integer"));
}

TEST(RuntimeSpec, RefusesDocumentsThatCannotBe) {
  EXPECT_THAT(refusal("{}"), HasSubstr("invalid config.json: it lacks `ociVersion`"));
  EXPECT_THAT(refusal("[]"), HasSubstr("invalid config.json: it is not an object"));
  EXPECT_THAT(refusal("{"), HasSubstr("invalid config.json: not JSON at byte"));
  EXPECT_THAT(refusal(R"({"ociVersion":"1","root":{"path":"r"}})"), HasSubstr("`ociVersion`"));
  EXPECT_THAT(refusal(R"({"ociVersion":"1.0.0"})"), HasSubstr("it lacks `root`"));
  EXPECT_THAT(refusal(R"({"ociVersion":"1.0.0","root":{"path":""}})"),
              HasSubstr("`root.path` is empty"));
  EXPECT_THAT(refusal_of({.root = R"("mounts":[{"source":"x"}])"}),
              HasSubstr("`mounts[0]` lacks `destination`"));
  EXPECT_THAT(refusal_of({.root = R"("mounts":[{"destination":"/x","options":"ro"}])"}),
              HasSubstr("`mounts[0].options` is not an array"));
  EXPECT_THAT(refusal_of({.root = R"("mounts":[{"destination":"/x",
                "uidMappings":[{"containerID":0,"hostID":1,"size":1}]}])"}),
              HasSubstr("`mounts[0]` has one of `uidMappings` and `gidMappings`"));
  EXPECT_THAT(refusal_of({.root = R"("annotations":{"a":1})"}),
              HasSubstr("`annotations.a` is not a string"));
  EXPECT_THAT(refusal_of({.root = R"("annotations":{"":"x"})"}), HasSubstr("without a name"));
  EXPECT_THAT(refusal_of({.root = R"("hostname":"h")"}), HasSubstr("`hostname` needs a `uts`"));
  EXPECT_THAT(refusal_of({.root = str(R"("domainname":")", std::string(65, 'x'), '"')}),
              HasSubstr("`domainname` is longer than 64 bytes"));
}

TEST(RuntimeSpec, Hooks) {
  const Spec spec = parse({.root = R"("hooks":{"prestart":[{"path":"/a"}],
    "createRuntime":[{"path":"/b","args":["b","x"],"env":["K=V"],"timeout":5}],
    "createContainer":[{"path":"/c"}],"startContainer":[{"path":"/d"}],
    "poststart":[{"path":"/e"},{"path":"/f"}],"poststop":[{"path":"/g"}]})"});
  EXPECT_EQ(spec.hooks.prestart.at(0).path, "/a");
  EXPECT_THAT(spec.hooks.create_runtime.at(0).args, ElementsAre("b", "x"));
  EXPECT_THAT(spec.hooks.create_runtime.at(0).env, ElementsAre("K=V"));
  EXPECT_EQ(spec.hooks.create_runtime.at(0).timeout, 5U);
  EXPECT_EQ(spec.hooks.create_container.at(0).path, "/c");
  EXPECT_EQ(spec.hooks.start_container.at(0).path, "/d");
  EXPECT_EQ(spec.hooks.poststart.at(1).path, "/f");
  EXPECT_EQ(spec.hooks.poststop.at(0).path, "/g");
  EXPECT_THAT(refusal_of({.root = R"("hooks":{"poststop":[{"path":"a"}]})"}),
              HasSubstr("`hooks.poststop[0].path` is not an absolute path"));
  EXPECT_THAT(refusal_of({.root = R"("hooks":{"poststop":[{"path":"/a","timeout":0}]})"}),
              HasSubstr("`hooks.poststop[0].timeout` is not greater than zero"));
}

TEST(RuntimeSpec, Namespaces) {
  const Spec spec = parse({.linux = R"("namespaces":[{"type":"pid"},{"type":"network",
    "path":"/run/netns/x"},{"type":"user"},{"type":"time"}],
    "uidMappings":[{"containerID":0,"hostID":100000,"size":65536}],
    "gidMappings":[{"containerID":1,"hostID":2,"size":3}],
    "timeOffsets":{"monotonic":{"secs":-7,"nanosecs":999999999},"boottime":{"secs":1}})"});
  ASSERT_EQ(spec.namespaces.size(), 4U);
  EXPECT_EQ(spec.namespaces[1].kind, NamespaceKind::network);
  EXPECT_EQ(spec.namespaces[1].path, "/run/netns/x");
  EXPECT_EQ(spec.uid_mappings.at(0).host, 100000U);
  EXPECT_EQ(spec.gid_mappings.at(0).size, 3U);
  ASSERT_EQ(spec.time_offsets.size(), 2U);
  EXPECT_EQ(spec.time_offsets[1].clock, "monotonic");
  EXPECT_EQ(spec.time_offsets[1].seconds, -7);
  EXPECT_EQ(spec.time_offsets[1].nanoseconds, 999999999U);
}

TEST(RuntimeSpec, RefusesNamespacesThatCannotBe) {
  const auto linux_part = [](const std::string& text) { return refusal_of({.linux = text}); };
  EXPECT_THAT(linux_part(R"("namespaces":[{"type":"pid"},{"type":"pid"}])"),
              HasSubstr("`linux.namespaces[1].type` is `pid`, which comes twice"));
  EXPECT_THAT(linux_part(R"("namespaces":[{"type":"mnt"}])"),
              HasSubstr("`linux.namespaces[0].type` is `mnt`, which is unknown"));
  EXPECT_THAT(linux_part(R"("namespaces":[{"type":"pid","path":"x"}])"),
              HasSubstr("`linux.namespaces[0].path` is not absolute"));
  EXPECT_THAT(linux_part(R"("uidMappings":[{"containerID":0,"hostID":0,"size":1}])"),
              HasSubstr("`linux.uidMappings` needs a `user` namespace"));
  EXPECT_THAT(linux_part(R"("namespaces":[{"type":"user"}],
                "gidMappings":[{"containerID":0,"hostID":0,"size":0}])"),
              HasSubstr("`linux.gidMappings[0].size` is zero"));
  EXPECT_THAT(linux_part(R"("namespaces":[{"type":"user"}],
                "gidMappings":[{"containerID":1,"hostID":0,"size":4294967295}])"),
              HasSubstr("`linux.gidMappings[0]` goes beyond the largest id"));
  EXPECT_THAT(linux_part(R"("timeOffsets":{"boottime":{"secs":1}})"),
              HasSubstr("`linux.timeOffsets` needs a new `time` namespace"));
  EXPECT_THAT(linux_part(R"("namespaces":[{"type":"time","path":"/x"}],
                "timeOffsets":{"boottime":{"secs":1}})"),
              HasSubstr("`linux.timeOffsets` needs a new `time` namespace"));
  EXPECT_THAT(linux_part(R"("namespaces":[{"type":"time"}],"timeOffsets":{"realtime":{"secs":1}})"),
              HasSubstr("`realtime`, which is no clock"));
  EXPECT_THAT(linux_part(R"("namespaces":[{"type":"time"}],
                "timeOffsets":{"boottime":{"nanosecs":1000000000}})"),
              HasSubstr("`linux.timeOffsets.boottime.nanosecs` is not below"));
  EXPECT_THAT(linux_part(R"("netDevices":{"eth0":{}})"),
              HasSubstr("`linux.netDevices` needs a `network` namespace"));
  EXPECT_THAT(linux_part(R"("namespaces":[{"type":"network"}],"netDevices":{"a/b":{}})"),
              HasSubstr("names `a/b`"));
}

TEST(RuntimeSpec, FilesAndKernel) {
  const Spec spec = parse({.linux = R"("namespaces":[{"type":"network"}],
    "devices":[{"path":"/dev/x","type":"b","major":8,"minor":0,"fileMode":25008,"uid":1,"gid":2},
    {"path":"/dev/p","type":"p"}],"netDevices":{"eth1":{"name":"eth0"}},
    "rootfsPropagation":"rslave","maskedPaths":["/a","/b","/a"],"readonlyPaths":["/c"],
    "mountLabel":"l","sysctl":{"net.ipv4.ip_forward":"1"},"cgroupsPath":"/x",
    "personality":{"domain":"LINUX32"},
    "memoryPolicy":{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_STATIC_NODES"]},
    "intelRdt":{"closID":"c","schemata":["L3:0=f"],"l3CacheSchema":"L3:0=1",
    "memBwSchema":"MB:0=20","enableMonitoring":true})"});
  EXPECT_EQ(spec.devices.at(0).mode, 0660U);
  EXPECT_EQ(spec.devices[0].gid, 2U);
  EXPECT_EQ(spec.devices.at(1).mode, 0666U);
  EXPECT_EQ(spec.net_devices.at(0).host_name, "eth1");
  EXPECT_EQ(spec.net_devices[0].name, "eth0");
  EXPECT_EQ(spec.rootfs_propagation, "rslave");
  EXPECT_THAT(spec.masked_paths, ElementsAre("/a", "/b"));
  EXPECT_THAT(spec.readonly_paths, ElementsAre("/c"));
  EXPECT_EQ(spec.mount_label, "l");
  EXPECT_EQ(spec.sysctl.at(0).first, "net.ipv4.ip_forward");
  EXPECT_EQ(spec.cgroups_path, "/x");
  EXPECT_EQ(spec.personality->domain, "LINUX32");
  EXPECT_EQ(spec.memory_policy->nodes, "0");
  EXPECT_EQ(spec.intel_rdt->mem_bw_schema, "MB:0=20");
  EXPECT_TRUE(spec.intel_rdt->enable_monitoring);
}

TEST(RuntimeSpec, RefusesFilesThatCannotBe) {
  const auto linux_part = [](const std::string& text) { return refusal_of({.linux = text}); };
  EXPECT_THAT(linux_part(R"("devices":[{"path":"dev/x","type":"p"}])"),
              HasSubstr("`linux.devices[0].path` is not an absolute path"));
  EXPECT_THAT(linux_part(R"("devices":[{"path":"/dev/x","type":"z"}])"),
              HasSubstr("`linux.devices[0].type` is `z`"));
  EXPECT_THAT(linux_part(R"("devices":[{"path":"/dev/x","type":"c","major":1}])"),
              HasSubstr("`linux.devices[0]` lacks `minor`"));
  EXPECT_THAT(linux_part(R"("rootfsPropagation":"rprivat")"),
              HasSubstr("`linux.rootfsPropagation` is `rprivat`"));
  EXPECT_THAT(refusal(R"({"ociVersion":"1.0.0","root":{"path":"r"},
                "linux":{"maskedPaths":["proc/kcore"]}})"),
              HasSubstr("`linux.maskedPaths[0]` is not an absolute path"));
  EXPECT_THAT(linux_part(R"("sysctl":{"net/../../kernel.x":"1"})"), HasSubstr("no sysctl"));
  EXPECT_THAT(linux_part(R"("sysctl":{"..net.x":"1"})"), HasSubstr("no sysctl"));
  EXPECT_THAT(linux_part(R"("sysctl":{"net.x":1})"), HasSubstr("`linux.sysctl.net.x`"));
  EXPECT_THAT(linux_part(R"("personality":{"domain":"LINUX","flags":["X"]})"),
              HasSubstr("`linux.personality.flags`"));
  EXPECT_THAT(linux_part(R"("intelRdt":{"closID":"../x"})"), HasSubstr("`linux.intelRdt.closID`"));
}

TEST(RuntimeSpec, Resources) {
  const SpecResources resources = parse_runtime_resources(R"({
    "devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":-1,"minor":5,
    "access":"m"}],"memory":{"limit":-1,"swap":9223372036854775807,"swappiness":0,
    "disableOOMKiller":true},"cpu":{"shares":2,"quota":-1,"burst":3,"period":4,"cpus":"0-1",
    "idle":1},"pids":{"limit":-1},"blockIO":{"weight":10,"weightDevice":[{"major":8,"minor":0,
    "weight":500}],"throttleReadIOPSDevice":[{"major":8,"minor":1,"rate":600}]},
    "hugepageLimits":[{"pageSize":"2MB","limit":5}],"network":{"classID":1048577,
    "priorities":[{"name":"lo","priority":3}]},"rdma":{"mlx":{"hcaHandles":3}},
    "unified":{"memory.high":"1000"}})");
  EXPECT_FALSE(resources.devices.at(0).allow);
  EXPECT_EQ(resources.devices[0].type, 'a');
  EXPECT_FALSE(resources.devices.at(1).major);
  EXPECT_EQ(resources.devices[1].minor, 5);
  EXPECT_EQ(resources.memory.limit, -1);
  EXPECT_EQ(resources.memory.swap, INT64_MAX);
  EXPECT_EQ(resources.memory.swappiness, 0U);
  EXPECT_EQ(resources.memory.disable_oom_killer, true);
  EXPECT_EQ(resources.cpu.quota, -1);
  EXPECT_EQ(resources.cpu.cpus, "0-1");
  EXPECT_EQ(resources.cpu.idle, 1);
  EXPECT_EQ(resources.pids_limit, -1);
  EXPECT_EQ(resources.block_io.weight_devices.at(0).weight, 500);
  EXPECT_EQ(resources.block_io.read_iops.at(0).rate, 600U);
  EXPECT_EQ(resources.hugepages.at(0).page_size, "2MB");
  EXPECT_EQ(resources.network.class_id, 1048577U);
  EXPECT_EQ(resources.network.priorities.at(0).second, 3U);
  EXPECT_EQ(resources.rdma.at(0).hca_handles, 3U);
  EXPECT_FALSE(resources.rdma[0].hca_objects);
  EXPECT_EQ(resources.unified.at(0).first, "memory.high");
}

TEST(RuntimeSpec, RefusesResourcesThatCannotBe) {
  const auto resources = [](const std::string& text) {
    return refusal_of({.linux = str(R"("resources":{)", text, "}")});
  };
  EXPECT_THAT(resources(R"("memory":{"limit":"1g"})"),
              HasSubstr("`linux.resources.memory.limit` is not an integer"));
  EXPECT_THAT(resources(R"("memory":{"limit":9223372036854775808})"),
              HasSubstr("`linux.resources.memory.limit` is not an integer"));
  EXPECT_THAT(resources(R"("memory":{"swappiness":101})"), HasSubstr("memory.swappiness`"));
  EXPECT_THAT(resources(R"("cpu":{"cpus":"0,,1"})"), HasSubstr("cpu.cpus` is not a list"));
  EXPECT_THAT(resources(R"("blockIO":{"weight":65536})"), HasSubstr("blockIO.weight`"));
  EXPECT_THAT(resources(R"("hugepageLimits":[{"pageSize":"../x","limit":1}])"),
              HasSubstr("hugepageLimits[0].pageSize`"));
  EXPECT_THAT(resources(R"("hugepageLimits":[{"pageSize":"2M/B","limit":1}])"),
              HasSubstr("hugepageLimits[0].pageSize`"));
  EXPECT_THAT(resources(R"("unified":{"../cgroup.procs":"1"})"),
              HasSubstr("`../cgroup.procs`, which is not the name of a cgroup file"));
  EXPECT_THAT(resources(R"("devices":[{"type":"c"}])"), HasSubstr("devices[0]` lacks `allow`"));
  EXPECT_THAT(resources(R"("devices":[{"allow":true,"access":"x"}])"),
              HasSubstr("devices[0].access`"));
  EXPECT_THAT(resources(R"("devices":[{"allow":true,"type":"c","major":4294967296}])"),
              HasSubstr("devices[0].major` is not a device number"));
  EXPECT_THAT(resources(R"("devices":{})"), HasSubstr("devices` is not an array"));
}

TEST(RuntimeSpec, Seccomp) {
  const Spec spec = parse({.linux = R"("seccomp":{"defaultAction":"SCMP_ACT_ERRNO",
    "defaultErrnoRet":38,"architectures":["SCMP_ARCH_X86_64"],"flags":["SECCOMP_FILTER_FLAG_LOG"],
    "listenerPath":"/run/l.sock","listenerMetadata":"m","syscalls":[{"names":["read","write"],
    "action":"SCMP_ACT_NOTIFY"},{"names":["personality"],"action":"SCMP_ACT_TRACE","errnoRet":5,
    "args":[{"index":1,"value":18446744073709551615,"valueTwo":7,"op":"SCMP_CMP_MASKED_EQ"}]}]})"});
  ASSERT_TRUE(spec.seccomp);
  EXPECT_EQ(spec.seccomp->default_errno, 38U);
  EXPECT_THAT(spec.seccomp->architectures, ElementsAre("SCMP_ARCH_X86_64"));
  EXPECT_THAT(spec.seccomp->flags, ElementsAre("SECCOMP_FILTER_FLAG_LOG"));
  EXPECT_EQ(spec.seccomp->listener_path, "/run/l.sock");
  EXPECT_EQ(spec.seccomp->listener_metadata, "m");
  EXPECT_THAT(spec.seccomp->syscalls.at(0).names, ElementsAre("read", "write"));
  EXPECT_EQ(spec.seccomp->syscalls.at(1).errno_value, 5U);
  EXPECT_EQ(spec.seccomp->syscalls[1].arguments.at(0).value, UINT64_MAX);
  EXPECT_EQ(spec.seccomp->syscalls[1].arguments[0].value_two, 7U);
}

TEST(RuntimeSpec, RefusesFiltersThatCannotBe) {
  const auto filter = [](const std::string& text) {
    return refusal_of({.linux = str(R"("seccomp":{)", text, "}")});
  };
  const auto rule = [&](const std::string& text) {
    return filter(str(R"("defaultAction":"SCMP_ACT_ALLOW","syscalls":[{)", text, "}]"));
  };
  EXPECT_THAT(filter(""), HasSubstr("`linux.seccomp` lacks `defaultAction`"));
  EXPECT_THAT(filter(R"("defaultAction":"SCMP_ACT_NOTIFY")"), HasSubstr("cannot be"));
  EXPECT_THAT(filter(R"("defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":1)"),
              HasSubstr("`linux.seccomp.defaultErrnoRet` goes with no `SCMP_ACT_ALLOW`"));
  EXPECT_THAT(filter(R"("defaultAction":"SCMP_ACT_ALLOW","architectures":["VAX"])"),
              HasSubstr("`linux.seccomp.architectures[0]` is `VAX`"));
  EXPECT_THAT(filter(R"("defaultAction":"SCMP_ACT_ALLOW","flags":["X"])"),
              HasSubstr("`linux.seccomp.flags[0]` is `X`"));
  EXPECT_THAT(filter(R"("defaultAction":"SCMP_ACT_ALLOW","listenerMetadata":"x")"),
              HasSubstr("`linux.seccomp.listenerMetadata`"));
  EXPECT_THAT(rule(R"("names":[],"action":"SCMP_ACT_LOG")"), HasSubstr("syscalls[0].names`"));
  EXPECT_THAT(rule(R"("names":["x"],"action":"SCMP_ACT_LOG","errnoRet":1)"),
              HasSubstr("syscalls[0].errnoRet`"));
  EXPECT_THAT(rule(R"("names":["x"],"action":"SCMP_ACT_NOTIFY")"),
              HasSubstr("`listenerPath` is missing"));
  EXPECT_THAT(rule(R"("names":["x"],"action":"SCMP_ACT_LOG","args":[{"index":6,"value":1,
                "op":"SCMP_CMP_EQ"}])"),
              HasSubstr("syscalls[0].args[0].index`"));
  EXPECT_THAT(rule(R"("names":["x"],"action":"SCMP_ACT_LOG","args":[{"index":5,"value":1,
                "op":"EQ"}])"),
              HasSubstr("syscalls[0].args[0].op`"));
}

TEST(RuntimeSpec, AProcessOfItsOwn) {
  const SpecProcess process = parse_runtime_process(R"({"args":["ls"],"cwd":"/tmp"})");
  EXPECT_THAT(process.args, ElementsAre("ls"));
  EXPECT_EQ(process.cwd, "/tmp");
  EXPECT_THROW(parse_runtime_process(R"({"args":["ls"]})"), InvalidData);
}

// What `runc spec` of runc 1.1.5 writes.
TEST(RuntimeSpecFixture, Runc) {
  const Spec spec = parse_fixture("runc");
  EXPECT_EQ(spec.root_path, "rootfs");
  EXPECT_TRUE(spec.readonly_rootfs);
  EXPECT_TRUE(spec.process.terminal);
  EXPECT_EQ(spec.hostname, "runc");
  EXPECT_EQ(spec.namespaces.size(), 5U);
  EXPECT_THAT(mount_on(spec, "/dev").options, Contains("mode=755"));
  const Spec rootless = parse_fixture("runc-rootless");
  EXPECT_EQ(rootless.uid_mappings.size(), 1U);
  EXPECT_EQ(mount_on(rootless, "/sys").type, "none");
}

// umoci 0.4.7, of an empty image.
TEST(RuntimeSpecFixture, Umoci) {
  const Spec spec = parse_fixture("umoci");
  EXPECT_EQ(spec.hostname, "umoci-default");
  EXPECT_THAT(spec.process.args, ElementsAre("sh"));
}

// podman 4.3.1.
TEST(RuntimeSpecFixture, Podman) {
  const Spec run = parse_fixture("podman-run");
  EXPECT_EQ(run.process.capabilities.bounding.size(), 11U);
  EXPECT_EQ(run.process.user.umask, 022U);
  ASSERT_TRUE(run.seccomp);
  EXPECT_EQ(run.seccomp->default_errno, 38U);
  EXPECT_EQ(run.resources.pids_limit, 2048);
  const Spec tty = parse_fixture("podman-tty");
  EXPECT_TRUE(tty.process.terminal);
  EXPECT_EQ(tty.resources.memory.limit, 64 << 20);
  EXPECT_EQ(tty.sysctl.size(), 2U);
  EXPECT_EQ(tty.process.user.ids->uid, 1000U);
  EXPECT_EQ(tty.process.oom_score_adj, 100);
  EXPECT_THAT(mount_on(tty, "/data").options, Contains("ro"));
  const Spec userns = parse_fixture("podman-userns");
  EXPECT_EQ(userns.uid_mappings.at(0).size, 65536U);
  const Spec privileged = parse_fixture("podman-privileged");
  EXPECT_FALSE(privileged.seccomp);
}

// containerd 1.6's ctr, with --seccomp.
TEST(RuntimeSpecFixture, Containerd) {
  const Spec spec = parse_fixture("ctr");
  EXPECT_EQ(spec.cgroups_path, "/default/x");
  EXPECT_EQ(spec.resources.cpu.shares, 1024U);
  ASSERT_TRUE(spec.seccomp);
  EXPECT_GT(spec.seccomp->syscalls.size(), 3U);
}

}  // namespace
}  // namespace lade
