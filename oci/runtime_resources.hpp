// linux.resources of the OCI runtime configuration: what a container may use. runtime-spec,
// config-linux.md "Control groups"; member names follow it. A member that is absent is left as the
// host has it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lade {

/// linux.resources.devices[]: one rule, in force after those before it.
struct SpecDeviceRule {
  bool allow = false;
  char type = 'a';                    ///< `a` all, `c` character, `b` block
  std::optional<std::int64_t> major;  ///< absent: any
  std::optional<std::int64_t> minor;  ///< absent: any
  std::string access;                 ///< of `rwm`; empty: all of them
};

/// linux.resources.memory, in bytes; -1 is no limit.
struct SpecMemory {
  std::optional<std::int64_t> limit;
  std::optional<std::int64_t> reservation;
  std::optional<std::int64_t> swap;  ///< memory and swap together
  std::optional<std::int64_t> kernel;
  std::optional<std::int64_t> kernel_tcp;
  std::optional<std::uint64_t> swappiness;  ///< 0 to 100
  std::optional<bool> disable_oom_killer;
  std::optional<bool> use_hierarchy;
  std::optional<bool> check_before_update;
};

/// linux.resources.cpu; times in microseconds.
struct SpecCpu {
  std::optional<std::uint64_t> shares;
  std::optional<std::int64_t> quota;
  std::optional<std::uint64_t> burst;
  std::optional<std::uint64_t> period;
  std::optional<std::int64_t> realtime_runtime;
  std::optional<std::uint64_t> realtime_period;
  std::string cpus;  ///< a list such as `0-2,7`; empty: as it is
  std::string mems;
  std::optional<std::int64_t> idle;
};

/// linux.resources.blockIO.weightDevice[].
struct SpecWeightDevice {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::optional<std::uint16_t> weight;
  std::optional<std::uint16_t> leaf_weight;
};

/// linux.resources.blockIO.throttle…Device[].
struct SpecThrottleDevice {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::uint64_t rate = 0;  ///< bytes or operations per second
};

/// linux.resources.blockIO.
struct SpecBlockIo {
  std::optional<std::uint16_t> weight;
  std::optional<std::uint16_t> leaf_weight;
  std::vector<SpecWeightDevice> weight_devices;
  std::vector<SpecThrottleDevice> read_bps;
  std::vector<SpecThrottleDevice> write_bps;
  std::vector<SpecThrottleDevice> read_iops;
  std::vector<SpecThrottleDevice> write_iops;
};

/// linux.resources.hugepageLimits[].
struct SpecHugepageLimit {
  std::string page_size;  ///< `2MB`, `1GB`, …
  std::uint64_t limit = 0;
};

/// linux.resources.network.
struct SpecNetworkClass {
  std::optional<std::uint32_t> class_id;
  std::vector<std::pair<std::string, std::uint32_t>> priorities;  ///< by interface
};

/// linux.resources.rdma, by device.
struct SpecRdma {
  std::string device;
  std::optional<std::uint32_t> hca_handles;
  std::optional<std::uint32_t> hca_objects;
};

/// linux.resources.
struct SpecResources {
  std::vector<SpecDeviceRule> devices;
  SpecMemory memory;
  SpecCpu cpu;
  std::optional<std::int64_t> pids_limit;  ///< 0 or -1: no limit
  SpecBlockIo block_io;
  std::vector<SpecHugepageLimit> hugepages;
  SpecNetworkClass network;
  std::vector<SpecRdma> rdma;
  std::vector<std::pair<std::string, std::string>> unified;  ///< cgroup2 files and what to write
};

}  // namespace lade
