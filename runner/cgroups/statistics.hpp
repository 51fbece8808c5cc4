// What a container uses, from whichever version of cgroups counts it; and when it ran out of
// memory.
#pragma once

#include "base/fd.hpp"
#include "runner/cgroups/cgroup.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lade::runner {

/// Processor time, in nanoseconds.
struct CgroupCpuStatistics {
  std::uint64_t total = 0;
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  std::vector<std::uint64_t> per_cpu;  ///< version 1 only
  std::uint64_t periods = 0;           ///< of the quota
  std::uint64_t throttled_periods = 0;
  std::uint64_t throttled_time = 0;
};

/// One kind of memory, in bytes.
struct CgroupMemoryUsage {
  std::uint64_t usage = 0;
  std::optional<std::uint64_t> most;   ///< the highest usage so far, where it is known
  std::optional<std::uint64_t> limit;  ///< nothing: no limit
  std::uint64_t failures = 0;          ///< how often the limit was met
};

struct CgroupMemoryStatistics {
  CgroupMemoryUsage memory;
  /// Memory and swap together in both versions.
  std::optional<CgroupMemoryUsage> with_swap;
  std::optional<CgroupMemoryUsage> kernel;
  std::optional<CgroupMemoryUsage> kernel_tcp;             ///< version 1 only
  std::uint64_t cache = 0;                                 ///< pages of files
  std::uint64_t oom_kills = 0;                             ///< processes killed for want of memory
  std::vector<std::pair<std::string, std::uint64_t>> raw;  ///< memory.stat
};

struct CgroupPidsStatistics {
  std::uint64_t current = 0;
  std::optional<std::uint64_t> limit;
};

/// What was done with one block device.
struct CgroupBlockIo {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::string operation;  ///< `Read`, `Write`, …
  std::uint64_t value = 0;
};

struct CgroupBlockIoStatistics {
  std::vector<CgroupBlockIo> bytes;
  std::vector<CgroupBlockIo> operations;
};

/// Huge pages of one size, in bytes.
struct CgroupHugepages {
  std::string page_size;  ///< `2MB`
  std::uint64_t usage = 0;
  std::optional<std::uint64_t> most;  ///< version 1 only
  std::uint64_t failures = 0;
};

/// One device's share; nothing for what is not counted, or has no limit.
struct CgroupRdma {
  std::string device;
  std::optional<std::uint64_t> hca_handles;
  std::optional<std::uint64_t> hca_objects;
};

/// All that is counted. What no controller counts here is absent.
struct CgroupStatistics {
  std::optional<CgroupCpuStatistics> cpu;
  std::optional<CgroupMemoryStatistics> memory;
  std::optional<CgroupPidsStatistics> pids;
  std::optional<CgroupBlockIoStatistics> block_io;
  std::vector<CgroupHugepages> hugepages;
  std::vector<CgroupRdma> rdma_current;
  std::vector<CgroupRdma> rdma_limits;
};

/// Reads the counters. Files that the kernel does not have are passed over. Throws SystemError.
CgroupStatistics read_statistics(const Cgroup& cgroup);

/// Tells when a container runs out of memory.
class OomWatch {
 public:
  /// Starts to watch. Throws Error if nobody counts this container's memory.
  explicit OomWatch(const Cgroup& cgroup);

  /// Readable after something happened; for poll().
  const Fd& fd() const noexcept { return fd_; }
  /// Takes what was read there away, so that the next poll() waits again. How many processes were
  /// killed since the last call (or the beginning); nothing once the cgroup is gone.
  std::optional<std::uint64_t> take();

 private:
  Directory directory_;
  std::string file_;
  Fd fd_;
  Fd watched_;
  std::uint64_t seen_ = 0;
};

}  // namespace lade::runner
