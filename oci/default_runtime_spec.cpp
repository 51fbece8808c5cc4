#include "oci/default_runtime_spec.hpp"

#include "oci/json_writer.hpp"

#include <string_view>
#include <vector>

namespace lade {

namespace {

using Words = std::vector<std::string>;

void write_process(JsonWriter& json) {
  const Words capabilities{"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  json.name("process").begin_object().name("terminal").flag(true);
  json.name("user").begin_object().member("uid", 0U).member("gid", 0U).end_object();
  json.name("args").texts({"sh"});
  json.name("env").texts(
      {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"});
  json.member("cwd", "/").name("capabilities").begin_object();
  for (const std::string_view set : {"bounding", "effective", "permitted", "ambient"}) {
    json.name(set).texts(capabilities);
  }
  json.end_object().name("rlimits").begin_array().begin_object();
  json.member("type", "RLIMIT_NOFILE").member("hard", 1024U).member("soft", 1024U);
  json.end_object().end_array().name("noNewPrivileges").flag(true).end_object();
}

void write_mount(JsonWriter& json, std::string_view destination, std::string_view type,
                 std::string_view source, const Words& options) {
  json.begin_object().member("destination", destination).member("type", type);
  json.member("source", source).maybe_member("options", options).end_object();
}

void write_mounts(JsonWriter& json, bool of_user) {
  Words pts{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"};
  // The group of terminals is not among a user's ids.
  if (!of_user) pts.emplace_back("gid=5");
  json.name("mounts").begin_array();
  write_mount(json, "/proc", "proc", "proc", {});
  write_mount(json, "/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"});
  write_mount(json, "/dev/pts", "devpts", "devpts", pts);
  write_mount(json, "/dev/shm", "tmpfs", "shm",
              {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"});
  write_mount(json, "/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"});
  // A sysfs is its network namespace's, and that is the host's here.
  if (of_user) {
    write_mount(json, "/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"});
  } else {
    write_mount(json, "/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"});
  }
  write_mount(json, "/sys/fs/cgroup", "cgroup", "cgroup",
              {"nosuid", "noexec", "nodev", "relatime", "ro"});
  json.end_array();
}

void write_mapping(JsonWriter& json, std::string_view name, std::uint32_t host) {
  json.name(name).begin_array().begin_object().member("containerID", 0U).member("hostID", host);
  json.member("size", 1U).end_object().end_array();
}

void write_linux(JsonWriter& json, const std::optional<SpecUserIds>& user) {
  Words namespaces{"pid", "ipc", "uts", "mount"};
  json.name("linux").begin_object();
  if (user) {
    write_mapping(json, "uidMappings", user->uid);
    write_mapping(json, "gidMappings", user->gid);
    namespaces.emplace_back("user");
  } else {
    json.name("resources").begin_object().name("devices").begin_array().begin_object();
    json.name("allow").flag(false).member("access", "rwm").end_object().end_array().end_object();
    namespaces.emplace_back("network");
  }
  json.name("namespaces").begin_array();
  for (const std::string& type : namespaces) json.begin_object().member("type", type).end_object();
  json.end_array();
  json.name("maskedPaths")
      .texts({"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
              "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware",
              "/proc/scsi"});
  json.name("readonlyPaths")
      .texts({"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"});
  json.end_object();
}

}  // namespace

std::string make_default_runtime_spec(const std::optional<SpecUserIds>& user) {
  JsonWriter json;
  json.begin_object().member("ociVersion", "1.2.0");
  write_process(json);
  json.name("root").begin_object().member("path", "rootfs").name("readonly").flag(true);
  json.end_object().member("hostname", "lade");
  write_mounts(json, user.has_value());
  write_linux(json, user);
  json.end_object();
  return indented_json(json.take(), "\t") + '\n';
}

}  // namespace lade
