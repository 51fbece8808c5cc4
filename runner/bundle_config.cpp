#include "runner/bundle_config.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json_writer.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>

namespace lade::runner {

namespace {

// Of the runtime specification: the oldest that has all that is used here, since every runtime
// takes it.
constexpr std::string_view k_version = "1.0.0";

struct Mount {
  std::string destination;
  std::string type;
  std::string source;
  std::vector<std::string> options;
};

const std::vector<std::string>& capabilities() {
  static const std::vector<std::string> names{"CAP_AUDIT_WRITE", "CAP_KILL",
                                              "CAP_NET_BIND_SERVICE"};
  return names;
}

std::vector<Mount> default_mounts() {
  return {
      {"/proc", "proc", "proc", {}},
      {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}},
      {"/dev/pts",
       "devpts",
       "devpts",
       {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
      {"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
      {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}},
      {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}},
      {"/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}},
  };
}

/// What a user namespace without privileges cannot mount is taken out, or bound from the host.
std::vector<Mount> rootless_mounts(std::vector<Mount> mounts, const BundleOptions& options) {
  std::erase_if(mounts, [](const Mount& mount) { return mount.destination.starts_with("/sys"); });
  for (Mount& mount : mounts) {
    std::erase_if(mount.options, [](const std::string& option) {
      return option.starts_with("gid=") || option.starts_with("uid=");
    });
  }
  mounts.push_back({"/sys", "bind", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"}});
  if (options.resolv_conf) {
    Mount mount{"/etc/resolv.conf", "bind", "/etc/resolv.conf", *options.resolv_conf};
    mount.options.insert(mount.options.end(), {"rbind", "ro"});
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

std::vector<Mount> mounts_for(const ImageConfig& image, const BundleOptions& options) {
  std::vector<Mount> mounts = default_mounts();
  for (const std::string& volume : image.process.volumes) {
    mounts.push_back({volume, "tmpfs", "none", {"rw", "nosuid", "nodev", "noexec", "relatime"}});
  }
  return options.rootless ? rootless_mounts(std::move(mounts), options) : mounts;
}

/// Sets a variable in its place, or at the end.
void set_variable(std::vector<std::string>& env, const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw InvalidData(str("environment variable ", quoted(text), " is not of the form NAME=VALUE"));
  }
  const std::string name = text.substr(0, equals + 1);
  const auto found = std::find_if(env.begin(), env.end(),
                                  [&](const std::string& each) { return each.starts_with(name); });
  if (found == env.end()) {
    env.push_back(text);
  } else {
    *found = text;
  }
}

std::vector<std::string> env_for(const ImageConfig& image, const BundleOptions& options) {
  std::vector<std::string> env{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                               "TERM=xterm"};
  if (image.process.env) {
    for (const std::string& text : *image.process.env) set_variable(env, text);
  }
  const bool has_home = std::any_of(
      env.begin(), env.end(), [](const std::string& text) { return text.starts_with("HOME="); });
  if (!has_home && !options.user.home.empty()) env.push_back(str("HOME=", options.user.home));
  return env;
}

void write_process(JsonWriter& json, const ImageConfig& image, const BundleOptions& options) {
  json.name("process").begin_object();
  json.name("terminal").flag(true);
  json.name("user").begin_object();
  json.member("uid", std::uint64_t{options.user.uid})
      .member("gid", std::uint64_t{options.user.gid});
  if (!options.rootless && !options.user.groups.empty()) {
    json.name("additionalGids").begin_array();
    for (const gid_t group : options.user.groups) json.number(group);
    json.end_array();
  }
  json.end_object();
  std::vector<std::string> args = image.process.entrypoint;
  args.insert(args.end(), image.process.cmd.begin(), image.process.cmd.end());
  if (args.empty()) args.emplace_back("sh");
  json.name("args").texts(args);
  json.name("env").texts(env_for(image, options));
  json.member("cwd", image.process.working_dir.empty() ? "/" : image.process.working_dir);
  json.name("capabilities").begin_object();
  for (const char* set : {"bounding", "effective", "inheritable", "permitted", "ambient"}) {
    json.name(set).texts(capabilities());
  }
  json.end_object();
  json.name("rlimits").begin_array().begin_object();
  json.member("type", "RLIMIT_NOFILE");
  json.member("hard", std::uint64_t{1024}).member("soft", std::uint64_t{1024});
  json.end_object().end_array();
  json.name("noNewPrivileges").flag(true);
  json.end_object();
}

void write_mounts(JsonWriter& json, const std::vector<Mount>& mounts) {
  json.name("mounts").begin_array();
  for (const Mount& mount : mounts) {
    json.begin_object();
    json.member("destination", mount.destination).member("type", mount.type);
    json.member("source", mount.source).maybe_member("options", mount.options);
    json.end_object();
  }
  json.end_array();
}

/// What has no place of its own in a runtime configuration, and the image's labels.
std::map<std::string, std::string> annotations_for(const ImageConfig& image) {
  std::map<std::string, std::string> annotations;
  const auto set = [&](const char* name, const std::string& value) {
    if (!value.empty()) annotations[str("org.opencontainers.image.", name)] = value;
  };
  set("os", image.platform.os);
  set("architecture", image.platform.architecture);
  set("variant", image.platform.variant);
  set("author", image.author);
  set("created", image.created.value_or(""));
  set("stopSignal", image.process.stop_signal);
  set("exposedPorts", join(image.process.exposed_ports, ","));
  if (image.process.labels) {
    for (const auto& [name, value] : *image.process.labels) annotations[name] = value;
  }
  return annotations;
}

void write_mappings(JsonWriter& json, const char* name,
                    const std::vector<BundleIdMapping>& mappings) {
  if (mappings.empty()) return;
  json.name(name).begin_array();
  for (const BundleIdMapping& mapping : mappings) {
    json.begin_object();
    json.member("containerID", std::uint64_t{mapping.container});
    json.member("hostID", std::uint64_t{mapping.host});
    json.member("size", std::uint64_t{mapping.size});
    json.end_object();
  }
  json.end_array();
}

std::vector<std::string> namespaces_for(const BundleOptions& options) {
  std::vector<std::string> namespaces{"cgroup", "pid", "network", "ipc", "uts", "mount"};
  if (options.rootless) std::erase(namespaces, "network");
  if (options.rootless || !options.uids.empty() || !options.gids.empty()) {
    namespaces.emplace_back("user");
  }
  return namespaces;
}

void write_linux(JsonWriter& json, const BundleOptions& options) {
  json.name("linux").begin_object();
  write_mappings(json, "uidMappings", options.uids);
  write_mappings(json, "gidMappings", options.gids);
  if (!options.rootless) {
    json.name("resources").begin_object().name("devices").begin_array().begin_object();
    json.name("allow").flag(false).member("access", "rwm");
    json.end_object().end_array().end_object();
  }
  json.name("namespaces").begin_array();
  for (const std::string& name : namespaces_for(options)) {
    json.begin_object().member("type", name).end_object();
  }
  json.end_array();
  json.name("maskedPaths")
      .texts({"/proc/kcore", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
              "/proc/sched_debug", "/sys/firmware", "/proc/scsi"});
  json.name("readonlyPaths")
      .texts({"/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
              "/proc/sysrq-trigger"});
  json.end_object();
}

}  // namespace

std::string make_bundle_config(const ImageConfig& image, const BundleOptions& options) {
  if (image.platform.os != "linux") {
    throw InvalidData(str("an image for ", quoted(image.platform.os), " cannot be run here"));
  }
  JsonWriter json;
  json.begin_object();
  json.member("ociVersion", k_version);
  write_process(json, image, options);
  json.name("root").begin_object().member("path", options.rootfs).end_object();
  json.member("hostname", "umoci-default");
  write_mounts(json, mounts_for(image, options));
  const auto annotations = annotations_for(image);
  if (!annotations.empty()) json.name("annotations").text_map(annotations);
  write_linux(json, options);
  json.end_object();
  return indented_json(json.take(), "\t") + '\n';
}

}  // namespace lade::runner
