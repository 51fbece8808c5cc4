#include "runner/features.hpp"

#include "oci/json_writer.hpp"
#include "runner/capabilities.hpp"
#include "runner/hooks.hpp"
#include "runner/plan_mounts.hpp"
#include "runner/seccomp/compile.hpp"

#include <vector>

namespace lade::runner {

namespace {

void write_enabled(JsonWriter& json, std::string_view name) {
  json.name(name).begin_object().name("enabled").flag(true).end_object();
}

void write_cgroup(JsonWriter& json) {
  json.name("cgroup").begin_object();
  for (const std::string_view name : {"v1", "v2", "rdma", "systemd", "systemdUser"}) {
    json.name(name).flag(true);
  }
  json.end_object();
}

void write_seccomp(JsonWriter& json) {
  const std::vector<std::string> flags{"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
                                       "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                                       "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
  json.name("seccomp").begin_object().name("enabled").flag(true);
  json.name("actions").texts({"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL",
                              "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG",
                              "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP"});
  json.name("operators")
      .texts({"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT",
              "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE"});
  json.name("archs").texts(seccomp_architectures());
  json.name("knownFlags").texts(flags).name("supportedFlags").texts(flags).end_object();
}

void write_linux(JsonWriter& json) {
  json.name("linux").begin_object();
  json.name("namespaces")
      .texts({"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"});
  json.name("capabilities").texts(known_capabilities());
  write_cgroup(json);
  write_seccomp(json);
  for (const std::string_view name : {"apparmor", "selinux", "intelRdt", "netDevices"}) {
    write_enabled(json, name);
  }
  json.name("memoryPolicy").begin_object();
  json.name("modes").texts({"MPOL_BIND", "MPOL_DEFAULT", "MPOL_INTERLEAVE", "MPOL_LOCAL",
                            "MPOL_PREFERRED", "MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE"});
  json.name("flags")
      .texts({"MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"})
      .end_object();
  json.name("mountExtensions").begin_object();
  write_enabled(json, "idmap");
  json.end_object().end_object();
}

}  // namespace

std::string make_features(std::string_view version) {
  std::vector<std::string> hooks;
  for (const HookMoment moment :
       {HookMoment::prestart, HookMoment::create_runtime, HookMoment::create_container,
        HookMoment::start_container, HookMoment::poststart, HookMoment::poststop}) {
    hooks.emplace_back(name_of(moment));
  }
  JsonWriter json;
  json.begin_object().member("ociVersionMin", "1.0.0").member("ociVersionMax", "1.3.0");
  json.name("hooks").texts(hooks).name("mountOptions").texts(known_mount_options());
  write_linux(json);
  json.name("annotations").begin_object();
  json.member("org.opencontainers.lade.version", version).end_object();
  json.end_object();
  return indented_json(json.take(), "  ") + '\n';
}

}  // namespace lade::runner
