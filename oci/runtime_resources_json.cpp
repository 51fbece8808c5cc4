// linux.resources of the runtime configuration. runtime-spec, config-linux.md.
#include "oci/runtime_json.hpp"

#include <algorithm>

namespace lade {

namespace {

SpecDeviceRule read_device_rule(const JsonNode& node) {
  SpecDeviceRule rule;
  rule.allow = node.get("allow").flag();
  if (const auto type = node.find("type"); type && !type->text().empty()) {
    expect_one_of(*type, {"a", "c", "b"});
    rule.type = type->text().front();
  }
  rule.major = find_number<std::int64_t>(node, "major");
  rule.minor = find_number<std::int64_t>(node, "minor");
  rule.access = node.find_text("access");
  if (rule.access.find_first_not_of("rwm") != std::string::npos) {
    node.get("access").fail("is not made of `r`, `w` and `m`");
  }
  // To others, -1 is what an absent number is here.
  if (rule.major == -1) rule.major.reset();
  if (rule.minor == -1) rule.minor.reset();
  constexpr std::int64_t k_most = 0xffffffff;
  for (const auto* name : {"major", "minor"}) {
    const auto& number = name[1] == 'a' ? rule.major : rule.minor;
    if (number && (*number < 0 || *number > k_most)) node.get(name).fail("is not a device number");
  }
  return rule;
}

SpecMemory read_memory(const JsonNode& node) {
  SpecMemory memory;
  memory.limit = find_number<std::int64_t>(node, "limit");
  memory.reservation = find_number<std::int64_t>(node, "reservation");
  memory.swap = find_number<std::int64_t>(node, "swap");
  memory.kernel = find_number<std::int64_t>(node, "kernel");
  memory.kernel_tcp = find_number<std::int64_t>(node, "kernelTCP");
  memory.swappiness = find_number<std::uint64_t>(node, "swappiness");
  if (memory.swappiness.value_or(0) > 100) node.get("swappiness").fail("is above 100");
  memory.disable_oom_killer = find_flag(node, "disableOOMKiller");
  memory.use_hierarchy = find_flag(node, "useHierarchy");
  memory.check_before_update = find_flag(node, "checkBeforeUpdate");
  return memory;
}

SpecCpu read_cpu(const JsonNode& node) {
  SpecCpu cpu;
  cpu.shares = find_number<std::uint64_t>(node, "shares");
  cpu.quota = find_number<std::int64_t>(node, "quota");
  cpu.burst = find_number<std::uint64_t>(node, "burst");
  cpu.period = find_number<std::uint64_t>(node, "period");
  cpu.realtime_runtime = find_number<std::int64_t>(node, "realtimeRuntime");
  cpu.realtime_period = find_number<std::uint64_t>(node, "realtimePeriod");
  cpu.cpus = find_list(node, "cpus");
  cpu.mems = find_list(node, "mems");
  cpu.idle = find_number<std::int64_t>(node, "idle");
  return cpu;
}

std::vector<SpecThrottleDevice> read_throttles(const JsonNode& object, std::string_view name) {
  std::vector<SpecThrottleDevice> devices;
  for (const JsonNode& node : find_items(object, name)) {
    devices.push_back({get_number<std::int64_t>(node, "major"),
                       get_number<std::int64_t>(node, "minor"),
                       get_number<std::uint64_t>(node, "rate")});
  }
  return devices;
}

SpecBlockIo read_block_io(const JsonNode& node) {
  SpecBlockIo io;
  io.weight = find_number<std::uint16_t>(node, "weight");
  io.leaf_weight = find_number<std::uint16_t>(node, "leafWeight");
  for (const JsonNode& device : find_items(node, "weightDevice")) {
    io.weight_devices.push_back({get_number<std::int64_t>(device, "major"),
                                 get_number<std::int64_t>(device, "minor"),
                                 find_number<std::uint16_t>(device, "weight"),
                                 find_number<std::uint16_t>(device, "leafWeight")});
  }
  io.read_bps = read_throttles(node, "throttleReadBpsDevice");
  io.write_bps = read_throttles(node, "throttleWriteBpsDevice");
  io.read_iops = read_throttles(node, "throttleReadIOPSDevice");
  io.write_iops = read_throttles(node, "throttleWriteIOPSDevice");
  return io;
}

/// `2MB`: a number and the kernel's unit.
bool is_page_size(std::string_view text) {
  if (text.size() < 3 || text.back() != 'B') return false;
  const std::string_view unit = "KMG";
  if (unit.find(text[text.size() - 2]) == std::string_view::npos || text.front() == '0')
    return false;
  return parse_number<std::uint64_t>(text.substr(0, text.size() - 2)).has_value();
}

std::vector<SpecHugepageLimit> read_hugepages(const JsonNode& object) {
  std::vector<SpecHugepageLimit> limits;
  for (const JsonNode& node : find_items(object, "hugepageLimits")) {
    const JsonNode size = node.get("pageSize");
    if (!is_page_size(size.text())) size.fail("is not a page size such as `2MB`");
    limits.push_back({size.text(), get_number<std::uint64_t>(node, "limit")});
  }
  return limits;
}

SpecNetworkClass read_network(const JsonNode& node) {
  SpecNetworkClass network;
  network.class_id = find_number<std::uint32_t>(node, "classID");
  for (const JsonNode& entry : find_items(node, "priorities")) {
    network.priorities.emplace_back(get_text(entry, "name"),
                                    get_number<std::uint32_t>(entry, "priority"));
  }
  return network;
}

std::vector<SpecRdma> read_rdma(const JsonNode& node) {
  std::vector<SpecRdma> devices;
  for (const std::string& name : node.names()) {
    const JsonNode device = node.get(name);
    devices.push_back({name, find_number<std::uint32_t>(device, "hcaHandles"),
                       find_number<std::uint32_t>(device, "hcaObjects")});
  }
  return devices;
}

/// The names become files below the container's cgroup, and nothing else.
std::vector<std::pair<std::string, std::string>> read_unified(const JsonNode& node) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto& [name, value] : node.text_map()) {
    if (name.empty() || name.find('/') != std::string::npos || name == "." || name == "..") {
      node.fail(str("has the member ", quoted(name), ", which is not the name of a cgroup file"));
    }
    files.emplace_back(name, value);
  }
  return files;
}

}  // namespace

SpecResources read_runtime_resources(const JsonNode& node) {
  SpecResources resources;
  for (const JsonNode& rule : find_items(node, "devices")) {
    resources.devices.push_back(read_device_rule(rule));
  }
  if (const auto memory = node.find("memory")) resources.memory = read_memory(*memory);
  if (const auto cpu = node.find("cpu")) resources.cpu = read_cpu(*cpu);
  if (const auto pids = node.find("pids")) {
    resources.pids_limit = find_number<std::int64_t>(*pids, "limit");
  }
  if (const auto io = node.find("blockIO")) resources.block_io = read_block_io(*io);
  resources.hugepages = read_hugepages(node);
  if (const auto network = node.find("network")) resources.network = read_network(*network);
  if (const auto rdma = node.find("rdma")) resources.rdma = read_rdma(*rdma);
  if (const auto unified = node.find("unified")) resources.unified = read_unified(*unified);
  return resources;
}

}  // namespace lade
