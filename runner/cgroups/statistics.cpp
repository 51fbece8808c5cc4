#include "runner/cgroups/statistics.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/cgroups/control.hpp"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace lade::runner {

namespace {

/// Version 1 shows this many bytes and more for "no limit".
constexpr std::uint64_t k_no_limit_v1 = 0x7FFF'FFFF'0000'0000;

std::string text_of(const Directory& cgroup, const std::string& file) {
  return find_control(cgroup, file).value_or("");
}

std::uint64_t number_of(const Directory& cgroup, const std::string& file) {
  return find_control_number(cgroup, file).value_or(0);
}

std::optional<std::uint64_t> limit_of(const Directory& cgroup, const std::string& file) {
  const std::optional<std::uint64_t> limit = find_control_number(cgroup, file);
  return limit && *limit >= k_no_limit_v1 ? std::nullopt : limit;
}

/// All lines `key number`.
std::vector<std::pair<std::string, std::uint64_t>> pairs_of(const std::string& text) {
  std::vector<std::pair<std::string, std::uint64_t>> pairs;
  for (const std::string& line : split(text, '\n')) {
    const auto blank = line.find(' ');
    if (blank == std::string::npos) continue;
    const auto number = parse_number<std::uint64_t>(std::string_view(line).substr(blank + 1));
    if (number) pairs.emplace_back(line.substr(0, blank), *number);
  }
  return pairs;
}

/// `8:0`.
std::optional<std::pair<std::uint64_t, std::uint64_t>> device_of(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  const auto major = parse_number<std::uint64_t>(std::string_view(text).substr(0, colon));
  const auto minor = parse_number<std::uint64_t>(std::string_view(text).substr(colon + 1));
  if (!major || !minor) return std::nullopt;
  return std::pair(*major, *minor);
}

void read_throttling(CgroupCpuStatistics& cpu, const std::string& stat, std::string_view time_key,
                     std::uint64_t nanoseconds_per_unit) {
  cpu.periods = find_keyed_number(stat, "nr_periods").value_or(0);
  cpu.throttled_periods = find_keyed_number(stat, "nr_throttled").value_or(0);
  cpu.throttled_time = find_keyed_number(stat, time_key).value_or(0) * nanoseconds_per_unit;
}

std::optional<CgroupCpuStatistics> read_cpu(const Cgroup& cgroup) {
  CgroupCpuStatistics cpu;
  if (const Directory* v1 = cgroup.find_directory("cpuacct")) {
    cpu.total = number_of(*v1, "cpuacct.usage");
    cpu.user = number_of(*v1, "cpuacct.usage_user");
    cpu.system = number_of(*v1, "cpuacct.usage_sys");
    for (const std::string& word : split(text_of(*v1, "cpuacct.usage_percpu"), ' ')) {
      if (const auto time = parse_number<std::uint64_t>(word)) cpu.per_cpu.push_back(*time);
    }
    if (const Directory* quota = cgroup.find_directory("cpu")) {
      read_throttling(cpu, text_of(*quota, "cpu.stat"), "throttled_time", 1);
    }
    return cpu;
  }
  // Version 2 counts time with the controller or without it.
  const Directory* v2 = cgroup.find_directory("cgroup");
  const std::string stat = v2 == nullptr ? "" : text_of(*v2, "cpu.stat");
  if (stat.empty()) return std::nullopt;
  cpu.total = find_keyed_number(stat, "usage_usec").value_or(0) * 1000;
  cpu.user = find_keyed_number(stat, "user_usec").value_or(0) * 1000;
  cpu.system = find_keyed_number(stat, "system_usec").value_or(0) * 1000;
  read_throttling(cpu, stat, "throttled_usec", 1000);
  return cpu;
}

std::optional<CgroupMemoryUsage> find_usage_v1(const Directory& cgroup, const std::string& prefix) {
  const auto usage = find_control_number(cgroup, prefix + "usage_in_bytes");
  if (!usage) return std::nullopt;
  return CgroupMemoryUsage{*usage, find_control_number(cgroup, prefix + "max_usage_in_bytes"),
                           limit_of(cgroup, prefix + "limit_in_bytes"),
                           number_of(cgroup, prefix + "failcnt")};
}

CgroupMemoryStatistics read_memory_v1(const Directory& cgroup) {
  CgroupMemoryStatistics memory;
  memory.memory = find_usage_v1(cgroup, "memory.").value_or(CgroupMemoryUsage{});
  memory.with_swap = find_usage_v1(cgroup, "memory.memsw.");
  memory.kernel = find_usage_v1(cgroup, "memory.kmem.");
  memory.kernel_tcp = find_usage_v1(cgroup, "memory.kmem.tcp.");
  const std::string stat = text_of(cgroup, "memory.stat");
  memory.raw = pairs_of(stat);
  memory.cache = find_keyed_number(stat, "total_cache").value_or(0);
  memory.oom_kills =
      find_keyed_number(text_of(cgroup, "memory.oom_control"), "oom_kill").value_or(0);
  return memory;
}

CgroupMemoryStatistics read_memory_v2(const Directory& cgroup) {
  CgroupMemoryStatistics memory;
  const std::string events = text_of(cgroup, "memory.events");
  memory.memory = {number_of(cgroup, "memory.current"), find_control_number(cgroup, "memory.peak"),
                   limit_of(cgroup, "memory.max"), find_keyed_number(events, "max").value_or(0)};
  if (const auto swap = find_control_number(cgroup, "memory.swap.current")) {
    CgroupMemoryUsage both;
    both.usage = memory.memory.usage + *swap;
    const auto limit = limit_of(cgroup, "memory.swap.max");
    if (limit && memory.memory.limit) both.limit = *limit + *memory.memory.limit;
    both.failures = find_keyed_number(text_of(cgroup, "memory.swap.events"), "max").value_or(0);
    memory.with_swap = both;
  }
  const std::string stat = text_of(cgroup, "memory.stat");
  memory.raw = pairs_of(stat);
  memory.cache = find_keyed_number(stat, "file").value_or(0);
  if (const auto kernel = find_keyed_number(stat, "kernel")) {
    memory.kernel = CgroupMemoryUsage{*kernel, std::nullopt, std::nullopt, 0};
  }
  memory.oom_kills = find_keyed_number(events, "oom_kill").value_or(0);
  return memory;
}

std::optional<CgroupMemoryStatistics> read_memory(const Cgroup& cgroup) {
  const Directory* directory = cgroup.find_directory("memory");
  if (directory == nullptr) return std::nullopt;
  if (find_control(*directory, "memory.current")) return read_memory_v2(*directory);
  if (find_control(*directory, "memory.usage_in_bytes")) return read_memory_v1(*directory);
  return std::nullopt;
}

std::optional<CgroupPidsStatistics> read_pids(const Cgroup& cgroup) {
  const Directory* directory = cgroup.find_directory("pids");
  const auto current =
      directory == nullptr ? std::nullopt : find_control_number(*directory, "pids.current");
  if (!current) return std::nullopt;
  return CgroupPidsStatistics{*current, find_control_number(*directory, "pids.max")};
}

/// Lines `8:0 Read 4096`, and a total, which is left out.
std::vector<CgroupBlockIo> block_io_v1(const std::string& text) {
  std::vector<CgroupBlockIo> found;
  for (const std::string& line : split(text, '\n')) {
    const std::vector<std::string> words = split(line, ' ');
    const auto device = device_of(words[0]);
    const auto value = words.size() == 3 ? parse_number<std::uint64_t>(words[2]) : std::nullopt;
    if (device && value) found.push_back({device->first, device->second, words[1], *value});
  }
  return found;
}

/// Lines `8:0 rbytes=4096 wbytes=0 rios=1 …`.
CgroupBlockIoStatistics block_io_v2(const std::string& text) {
  CgroupBlockIoStatistics io;
  struct Key {
    std::string_view name;
    const char* operation;
    std::vector<CgroupBlockIo>& to;
  };
  const Key keys[] = {{"rbytes=", "Read", io.bytes},     {"wbytes=", "Write", io.bytes},
                      {"dbytes=", "Discard", io.bytes},  {"rios=", "Read", io.operations},
                      {"wios=", "Write", io.operations}, {"dios=", "Discard", io.operations}};
  for (const std::string& line : split(text, '\n')) {
    const std::vector<std::string> words = split(line, ' ');
    const auto device = device_of(words[0]);
    if (!device) continue;
    for (const std::string& word : words) {
      for (const Key& key : keys) {
        if (!word.starts_with(key.name)) continue;
        const auto value =
            parse_number<std::uint64_t>(std::string_view(word).substr(key.name.size()));
        if (value) key.to.push_back({device->first, device->second, key.operation, *value});
      }
    }
  }
  return io;
}

std::optional<CgroupBlockIoStatistics> read_block_io(const Cgroup& cgroup) {
  if (const Directory* v1 = cgroup.find_directory("blkio")) {
    // BFQ counts what goes through it; throttling counts everything.
    return CgroupBlockIoStatistics{
        block_io_v1(text_of(*v1, "blkio.throttle.io_service_bytes_recursive")),
        block_io_v1(text_of(*v1, "blkio.throttle.io_serviced_recursive"))};
  }
  const Directory* v2 = cgroup.find_directory("io");
  const auto text = v2 == nullptr ? std::nullopt : find_control(*v2, "io.stat");
  if (!text) return std::nullopt;
  return block_io_v2(*text);
}

std::vector<CgroupHugepages> read_hugepages(const Cgroup& cgroup) {
  std::vector<CgroupHugepages> found;
  const Directory* directory = cgroup.find_directory("hugetlb");
  if (directory == nullptr) return found;
  constexpr std::string_view prefix = "hugetlb.";
  for (const std::string& name : directory->list()) {
    for (const std::string_view suffix : {".usage_in_bytes", ".current"}) {
      if (!name.starts_with(prefix) || !name.ends_with(suffix)) continue;
      const std::string size =
          name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
      if (size.find('.') != std::string::npos) continue;  // reservations
      const std::string page = str(prefix, size, '.');
      const std::uint64_t failures = find_keyed_number(text_of(*directory, page + "events"), "max")
                                         .value_or(number_of(*directory, page + "failcnt"));
      found.push_back({size, number_of(*directory, name),
                       find_control_number(*directory, page + "max_usage_in_bytes"), failures});
    }
  }
  return found;
}

/// Lines `mlx5_1 hca_handle=2 hca_object=max`.
std::vector<CgroupRdma> read_rdma(const Cgroup& cgroup, const std::string& file) {
  std::vector<CgroupRdma> found;
  const Directory* directory = cgroup.find_directory("rdma");
  if (directory == nullptr) return found;
  for (const std::string& line : split(text_of(*directory, file), '\n')) {
    const std::vector<std::string> words = split(line, ' ');
    if (words.size() < 2) continue;
    CgroupRdma rdma{words[0], {}, {}};
    for (const std::string& word : words) {
      const auto number = [&](std::string_view key) {
        return word.starts_with(key)
                   ? parse_number<std::uint64_t>(std::string_view(word).substr(key.size()))
                   : std::nullopt;
      };
      if (const auto handles = number("hca_handle=")) rdma.hca_handles = handles;
      if (const auto objects = number("hca_object=")) rdma.hca_objects = objects;
    }
    found.push_back(rdma);
  }
  return found;
}

}  // namespace

CgroupStatistics read_statistics(const Cgroup& cgroup) {
  CgroupStatistics statistics;
  statistics.cpu = read_cpu(cgroup);
  statistics.memory = read_memory(cgroup);
  statistics.pids = read_pids(cgroup);
  statistics.block_io = read_block_io(cgroup);
  statistics.hugepages = read_hugepages(cgroup);
  statistics.rdma_current = read_rdma(cgroup, "rdma.current");
  statistics.rdma_limits = read_rdma(cgroup, "rdma.max");
  return statistics;
}

}  // namespace lade::runner
