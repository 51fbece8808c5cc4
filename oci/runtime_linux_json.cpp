// `linux` of the runtime configuration but its larger parts. runtime-spec, config-linux.md.
#include "oci/runtime_json.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace lade {

namespace {

const SpecNamespace* find_namespace(const Spec& spec, NamespaceKind kind) {
  const auto found = std::find_if(spec.namespaces.begin(), spec.namespaces.end(),
                                  [&](const SpecNamespace& ns) { return ns.kind == kind; });
  return found == spec.namespaces.end() ? nullptr : &*found;
}

SpecNamespace read_namespace(const JsonNode& node) {
  const JsonNode type = node.get("type");
  const auto known = std::find(k_namespace_names.begin(), k_namespace_names.end(), type.text());
  if (known == k_namespace_names.end()) {
    type.fail(str("is ", quoted(type.text()), ", which is unknown"));
  }
  const auto kind = static_cast<NamespaceKind>(known - k_namespace_names.begin());
  SpecNamespace ns{kind, node.find_text("path")};
  if (!ns.path.empty() && !ns.path.starts_with('/')) node.get("path").fail("is not absolute");
  return ns;
}

void read_namespaces(const JsonNode& node, Spec& spec) {
  for (const JsonNode& entry : find_items(node, "namespaces")) {
    SpecNamespace ns = read_namespace(entry);
    if (find_namespace(spec, ns.kind) != nullptr) {
      entry.get("type").fail(str("is ", quoted(entry.find_text("type")), ", which comes twice"));
    }
    spec.namespaces.push_back(std::move(ns));
  }
}

void read_id_mappings(const JsonNode& node, Spec& spec) {
  spec.uid_mappings = read_runtime_mappings(node, "uidMappings");
  spec.gid_mappings = read_runtime_mappings(node, "gidMappings");
  if (find_namespace(spec, NamespaceKind::user) != nullptr) return;
  for (const auto* name : {"uidMappings", "gidMappings"}) {
    if (!find_items(node, name).empty()) node.get(name).fail("needs a `user` namespace");
  }
}

void read_time_offsets(const JsonNode& node, Spec& spec) {
  for (const std::string& clock : node.names()) {
    if (clock != "monotonic" && clock != "boottime") {
      node.fail(str("has the member ", quoted(clock), ", which is no clock"));
    }
    const JsonNode offset = node.get(clock);
    SpecTimeOffset entry{clock, find_number<std::int64_t>(offset, "secs").value_or(0),
                         find_number<std::uint32_t>(offset, "nanosecs").value_or(0)};
    if (entry.nanoseconds >= 1'000'000'000) {
      offset.get("nanosecs").fail("is not below 1000000000");
    }
    spec.time_offsets.push_back(std::move(entry));
  }
  const SpecNamespace* ns = find_namespace(spec, NamespaceKind::time);
  if (!spec.time_offsets.empty() && (ns == nullptr || !ns->path.empty())) {
    node.fail("needs a new `time` namespace");
  }
}

SpecDevice read_device(const JsonNode& node) {
  SpecDevice device;
  device.path = get_text(node, "path");
  if (!device.path.starts_with('/')) node.get("path").fail("is not an absolute path");
  const JsonNode type = node.get("type");
  expect_one_of(type, {"c", "b", "u", "p"});
  device.type = type.text().front();
  if (device.type != 'p') {
    device.major = get_number<std::uint32_t>(node, "major");
    device.minor = get_number<std::uint32_t>(node, "minor");
  }
  // Some write the type's bits as well.
  device.mode = find_number<std::uint32_t>(node, "fileMode").value_or(0666) & 07777U;
  device.uid = find_number<std::uint32_t>(node, "uid").value_or(0);
  device.gid = find_number<std::uint32_t>(node, "gid").value_or(0);
  return device;
}

void expect_interface_name(const JsonNode& node, std::string_view name) {
  constexpr std::size_t k_longest = 15;
  const bool good = !name.empty() && name.size() <= k_longest && name != "." && name != ".." &&
                    name.find_first_of("/: \t\n\v\f\r") == std::string_view::npos;
  if (!good) node.fail(str("names ", quoted(name), ", which no network device can be called"));
}

void read_net_devices(const JsonNode& node, Spec& spec) {
  for (const std::string& name : node.names()) {
    SpecNetDevice device{name, node.get(name).find_text("name")};
    expect_interface_name(node, device.host_name);
    if (!device.name.empty()) expect_interface_name(node, device.name);
    spec.net_devices.push_back(std::move(device));
  }
  if (!spec.net_devices.empty() && find_namespace(spec, NamespaceKind::network) == nullptr) {
    node.fail("needs a `network` namespace");
  }
}

void read_paths(const JsonNode& node, std::string_view name, std::vector<std::string>& paths) {
  const auto list = node.find(name);
  if (!list) return;
  for (const JsonNode& item : list->items()) {
    if (!item.text().starts_with('/')) item.fail("is not an absolute path");
    if (std::find(paths.begin(), paths.end(), item.text()) == paths.end()) {
      paths.push_back(item.text());
    }
  }
}

/// Names become paths below /proc/sys and nothing else.
void read_sysctl(const JsonNode& node, Spec& spec) {
  for (const auto& [name, value] : node.text_map()) {
    const bool good = !name.empty() && name.find("..") == std::string::npos &&
                      name.find("//") == std::string::npos &&
                      name.find_first_of("./") != std::string::npos && name.front() != '.' &&
                      name.front() != '/' && name.back() != '.' && name.back() != '/';
    if (!good) node.fail(str("has the member ", quoted(name), ", which is no sysctl"));
    spec.sysctl.emplace_back(name, value);
  }
}

void read_filesystem(const JsonNode& node, Spec& spec) {
  if (const auto propagation = node.find("rootfsPropagation")) {
    expect_one_of(*propagation, {"", "shared", "slave", "private", "unbindable", "rshared",
                                 "rslave", "rprivate", "runbindable"});
    spec.rootfs_propagation = propagation->text();
  }
  read_paths(node, "maskedPaths", spec.masked_paths);
  read_paths(node, "readonlyPaths", spec.readonly_paths);
  spec.mount_label = node.find_text("mountLabel");
}

SpecPersonality read_personality(const JsonNode& node) {
  const JsonNode domain = node.get("domain");
  expect_one_of(domain, {"LINUX", "LINUX32"});
  if (!find_items(node, "flags").empty())
    node.get("flags").fail("is not empty: there are no flags");
  return {domain.text()};
}

SpecMemoryPolicy read_memory_policy(const JsonNode& node) {
  SpecMemoryPolicy policy;
  const JsonNode mode = node.get("mode");
  expect_one_of(mode, {"MPOL_DEFAULT", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE",
                       "MPOL_PREFERRED", "MPOL_PREFERRED_MANY", "MPOL_LOCAL"});
  policy.mode = mode.text();
  policy.nodes = find_list(node, "nodes");
  for (const JsonNode& flag : find_items(node, "flags")) {
    expect_one_of(flag, {"MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"});
    policy.flags.push_back(flag.text());
  }
  return policy;
}

SpecIntelRdt read_intel_rdt(const JsonNode& node) {
  SpecIntelRdt rdt;
  rdt.clos_id = node.find_text("closID");
  if (rdt.clos_id == "." || rdt.clos_id == ".." || rdt.clos_id.find('/') != std::string::npos) {
    node.get("closID").fail("is not the name of a directory");
  }
  rdt.schemata = find_texts(node, "schemata");
  rdt.l3_cache_schema = node.find_text("l3CacheSchema");
  rdt.mem_bw_schema = node.find_text("memBwSchema");
  rdt.enable_monitoring = find_flag(node, "enableMonitoring").value_or(false);
  return rdt;
}

void read_kernel_features(const JsonNode& node, Spec& spec) {
  if (const auto seccomp = node.find("seccomp")) spec.seccomp = read_runtime_seccomp(*seccomp);
  if (const auto part = node.find("personality")) spec.personality = read_personality(*part);
  if (const auto part = node.find("memoryPolicy")) spec.memory_policy = read_memory_policy(*part);
  if (const auto part = node.find("intelRdt")) spec.intel_rdt = read_intel_rdt(*part);
}

}  // namespace

std::vector<SpecIdMapping> read_runtime_mappings(const JsonNode& object, std::string_view name) {
  std::vector<SpecIdMapping> mappings;
  for (const JsonNode& node : find_items(object, name)) {
    const SpecIdMapping mapping{get_number<std::uint32_t>(node, "containerID"),
                                get_number<std::uint32_t>(node, "hostID"),
                                get_number<std::uint32_t>(node, "size")};
    if (mapping.size == 0) node.get("size").fail("is zero");
    const auto goes_beyond = [&](std::uint32_t first) {
      return first + std::uint64_t{mapping.size} > std::uint64_t{0xffffffff};
    };
    if (goes_beyond(mapping.container) || goes_beyond(mapping.host)) {
      node.fail("goes beyond the largest id");
    }
    mappings.push_back(mapping);
  }
  constexpr std::size_t k_most = 340;  // as many as the kernel takes
  if (mappings.size() > k_most) object.get(name).fail(str("has more than ", k_most, " entries"));
  return mappings;
}

void read_runtime_linux(const JsonNode& node, Spec& spec) {
  read_namespaces(node, spec);
  read_id_mappings(node, spec);
  if (const auto offsets = node.find("timeOffsets")) read_time_offsets(*offsets, spec);
  for (const JsonNode& device : find_items(node, "devices")) {
    spec.devices.push_back(read_device(device));
  }
  if (const auto devices = node.find("netDevices")) read_net_devices(*devices, spec);
  spec.cgroups_path = node.find_text("cgroupsPath");
  if (const auto part = node.find("resources")) spec.resources = read_runtime_resources(*part);
  read_filesystem(node, spec);
  if (const auto sysctl = node.find("sysctl")) read_sysctl(*sysctl, spec);
  read_kernel_features(node, spec);
}

}  // namespace lade
