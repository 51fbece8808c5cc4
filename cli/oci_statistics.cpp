#include "cli/oci_statistics.hpp"

#include "base/text.hpp"
#include "oci/json_writer.hpp"

#include <algorithm>
#include <limits>
#include <map>

namespace lade::cli {

namespace {

void write_cpu(JsonWriter& json, const runner::CgroupCpuStatistics& cpu) {
  json.name("cpu").begin_object().name("usage").begin_object();
  json.member("total", cpu.total);
  if (!cpu.per_cpu.empty()) {
    json.name("percpu").begin_array();
    for (const std::uint64_t each : cpu.per_cpu) json.number(each);
    json.end_array();
  }
  json.member("kernel", cpu.system).member("user", cpu.user).end_object();
  json.name("throttling").begin_object();
  json.member("periods", cpu.periods).member("throttledPeriods", cpu.throttled_periods);
  json.member("throttledTime", cpu.throttled_time).end_object().end_object();
}

void write_usage(JsonWriter& json, std::string_view name, const runner::CgroupMemoryUsage& usage) {
  json.name(name).begin_object();
  json.member("limit", usage.limit.value_or(std::numeric_limits<std::uint64_t>::max()));
  json.member("usage", usage.usage);
  if (usage.most) json.member("max", *usage.most);
  json.member("failcnt", usage.failures).end_object();
}

void write_memory(JsonWriter& json, const runner::CgroupMemoryStatistics& memory) {
  json.name("memory").begin_object().member("cache", memory.cache);
  write_usage(json, "usage", memory.memory);
  if (memory.with_swap) write_usage(json, "swap", *memory.with_swap);
  if (memory.kernel) write_usage(json, "kernel", *memory.kernel);
  if (memory.kernel_tcp) write_usage(json, "kernelTCP", *memory.kernel_tcp);
  json.name("raw").begin_object();
  for (const auto& [name, value] : memory.raw) json.member(name, value);
  json.end_object().end_object();
}

void write_block_io(JsonWriter& json, std::string_view name,
                    const std::vector<runner::CgroupBlockIo>& entries) {
  json.name(name).begin_array();
  for (const runner::CgroupBlockIo& each : entries) {
    json.begin_object().member("major", each.major).member("minor", each.minor);
    json.member("op", each.operation).member("value", each.value).end_object();
  }
  json.end_array();
}

void write_hugepages(JsonWriter& json, const std::vector<runner::CgroupHugepages>& hugepages) {
  json.name("hugetlb").begin_object();
  for (const runner::CgroupHugepages& each : hugepages) {
    json.name(each.page_size).begin_object().member("usage", each.usage);
    if (each.most) json.member("max", *each.most);
    json.member("failcnt", each.failures).end_object();
  }
  json.end_object();
}

}  // namespace

std::string statistics_json(const runner::CgroupStatistics& statistics) {
  JsonWriter json;
  json.begin_object();
  if (statistics.cpu) write_cpu(json, *statistics.cpu);
  if (statistics.memory) write_memory(json, *statistics.memory);
  if (statistics.pids) {
    json.name("pids").begin_object().member("current", statistics.pids->current);
    if (statistics.pids->limit) json.member("limit", *statistics.pids->limit);
    json.end_object();
  }
  if (statistics.block_io) {
    json.name("blkio").begin_object();
    write_block_io(json, "ioServiceBytesRecursive", statistics.block_io->bytes);
    write_block_io(json, "ioServicedRecursive", statistics.block_io->operations);
    json.end_object();
  }
  if (!statistics.hugepages.empty()) write_hugepages(json, statistics.hugepages);
  json.end_object();
  return json.take();
}

}  // namespace lade::cli
