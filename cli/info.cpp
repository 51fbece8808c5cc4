// `info`: where the store is, how images become root directories there, and on what machine.
#include "base/template/report.hpp"
#include "base/text.hpp"
#include "cli/output.hpp"
#include "cli/store_access.hpp"
#include "cli/verb_options.hpp"
#include "cli/view_values.hpp"
#include "cli/views.hpp"
#include "oci/platform.hpp"
#include "snapshot/mounted.hpp"
#include "snapshot/probe.hpp"
#include "store/container_record.hpp"
#include "store/schema.hpp"

#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <thread>

namespace lade::cli {

namespace {

using go::Record;
using go::Value;
using snapshot::SnapshotKind;
using snapshot::SnapshotSupport;

/// The file system that a directory is on, by the names of /proc/filesystems where they are known.
std::string file_system_of(const std::string& path) {
  struct statfs info {};
  if (::statfs(path.c_str(), &info) != 0) return "unknown";
  switch (static_cast<unsigned long>(info.f_type)) {
    case EXT4_SUPER_MAGIC:
      return "extfs";  // as podman calls it: ext2, 3 and 4 have one number
    case XFS_SUPER_MAGIC:
      return "xfs";
    case BTRFS_SUPER_MAGIC:
      return "btrfs";
    case TMPFS_MAGIC:
      return "tmpfs";
    case RAMFS_MAGIC:
      return "ramfs";
    case OVERLAYFS_SUPER_MAGIC:
      return "overlayfs";
    case NFS_SUPER_MAGIC:
      return "nfs";
    case V9FS_MAGIC:
      return "9p";
    case FUSE_SUPER_MAGIC:
      return "fuse";
    default:
      return str("type ", static_cast<unsigned long>(info.f_type));
  }
}

/// v2 only where nothing of v1 is mounted over it, as container programs count.
std::string cgroup_version() {
  struct statfs info {};
  if (::statfs("/sys/fs/cgroup", &info) != 0) return "none";
  return info.f_type == CGROUP2_SUPER_MAGIC ? "v2" : "v1";
}

Value host_value() {
  struct utsname names {};
  ::uname(&names);
  struct sysinfo memory {};
  ::sysinfo(&memory);
  const Platform platform = host_platform();
  return Value::record(
      {{{"Arch", "arch", Value::text(platform.architecture)},
        {"CgroupVersion", "cgroupVersion", Value::text(cgroup_version())},
        {"CPUs", "cpus", size_value(std::thread::hardware_concurrency())},
        {"Hostname", "hostname", Value::text(names.nodename)},
        {"Kernel", "kernel", Value::text(names.release)},
        {"MemFree", "memFree", size_value(std::uint64_t{memory.freeram} * memory.mem_unit)},
        {"MemTotal", "memTotal", size_value(std::uint64_t{memory.totalram} * memory.mem_unit)},
        {"OS", "os", Value::text(platform.os)},
        {"Rootless", "rootless", Value::boolean(::geteuid() != 0)}}},
      "info.Host");
}

std::string interface_text(const SnapshotSupport& support) {
  return support.interface == OverlayInterface::page ? "mount(2)" : "fsopen(2)";
}

/// What podman's driver tells, and what decides which one it is.
Value driver_status(const store::Store& store, const SnapshotSupport& support) {
  std::map<std::string, std::string> status{
      {"Backing Filesystem", file_system_of(store.root().path())}};
  if (support.kind == SnapshotKind::overlay) {
    status["Mounted by"] = interface_text(support);
    status["User xattr"] = support.xattrs == snapshot::OverlayXattrs::user ? "true" : "false";
  } else {
    status["Why not overlay"] = support.why;
  }
  return Value::text_map(status);
}

const char* sync_name(store::SyncMode mode) {
  switch (mode) {
    case store::SyncMode::fs:
      return "fs";
    case store::SyncMode::files:
      return "files";
    case store::SyncMode::none:
      return "none";
  }
  return "";
}

Value number_value(std::size_t number) {
  return Value::record({{{"Number", "number", size_value(number)}}}, "info.Store");
}

Value store_value(const store::Store& store) {
  const SnapshotSupport support = snapshot::find_support(store);
  const store::Contents contents = store.contents();
  const char* driver = support.kind == SnapshotKind::overlay ? "overlay" : "flat";
  return Value::record(
      {{{"BlobStore", "blobStore", number_value(contents.blobs.size())},
        {"ContainerStore", "containerStore",
         number_value(store::kept_containers(store.containers()).size())},
        {"GraphDriverName", "graphDriverName", Value::text(driver)},
        {"GraphRoot", "graphRoot", Value::text(store.root().path())},
        {"GraphStatus", "graphStatus", driver_status(store, support)},
        {"ImageStore", "imageStore", number_value(store.list_images().size())},
        {"LayerStore", "layerStore", number_value(contents.layers.size())},
        {"Mounts", "mounts", size_value(snapshot::list_mounts(store).size())},
        {"Schema", "schema", size_value(static_cast<std::uint64_t>(store::k_schema_version))},
        {"Sync", "sync", Value::text(sync_name(store.sync_mode()))}}},
      "info.StoreInfo");
}

Value version_value() {
  const Platform platform = host_platform();
  return Value::record(
      {{{"OsArch", "OsArch", Value::text(platform.os + "/" + platform.architecture)},
        {"Version", "Version", Value::text(LADE_VERSION)}}},
      "define.Version");
}

/// One line's value: quoted where YAML would take it for something else.
std::string yaml_scalar(const Value& value) {
  if (const auto* flag = value.get<bool>()) return *flag ? "true" : "false";
  if (const auto* number = value.get<std::int64_t>()) return std::to_string(*number);
  const auto* text = value.get<std::string>();
  if (text == nullptr) return "null";
  const std::string shown = printable(*text);
  const bool plain = !shown.empty() &&
                     shown.find_first_of(":#'\"`{}[]&*!|>%@,\\") == std::string::npos &&
                     shown.front() != '-';
  if (plain) return shown;
  std::string inside;
  for (const char c : shown) inside += c == '\'' ? "''" : std::string(1, c);
  return str('\'', inside, '\'');
}

/// As podman prints it: YAML, two spaces a level, the names of JSON.
void print_yaml(std::string& out, const Value& value, const std::string& indent) {
  const auto member = [&](std::string_view name, const Value& inner) {
    out += str(indent, name, ':');
    if (inner.as_record() != nullptr || inner.as_map() != nullptr) {
      out += '\n';
      print_yaml(out, inner, indent + "  ");
    } else {
      out += str(' ', yaml_scalar(inner), '\n');
    }
  };
  if (const Record* record = value.as_record()) {
    for (const go::Field& field : record->fields) member(field.json, field.value);
  } else if (const go::Map* map = value.as_map()) {
    for (const auto& [name, inner] : map->items) member(name, inner);
  }
}

}  // namespace

void declare_options(OptionSet& options, InfoArguments& info) {
  declare_format(options, info.format, info.pattern);
}

int run_verb(const App& app, const InfoArguments& arguments) {
  const store::Store store = open_store(app);
  const Value info = Value::record({{{"Host", "host", host_value()},
                                     {"Store", "store", store_value(store)},
                                     {"Version", "version", version_value()}}},
                                   "define.Info");
  std::string text;
  switch (arguments.format) {
    case OutputFormat::json:
      text = pretty_json(info);
      break;
    case OutputFormat::pattern:
      text = go::render_report({.name = "info", .rows = {info}}, arguments.pattern);
      break;
    case OutputFormat::table:
      print_yaml(text, info, "");
      break;
  }
  write_result(text);
  return 0;
}

}  // namespace lade::cli
