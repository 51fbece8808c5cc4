// linux.resources.cpu: shares, bandwidth, realtime, and which processors.

#include "base/text.hpp"
#include "runner/cgroups/conversion.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

namespace lade::runner {

namespace {

using Missing = CgroupSetting::Missing;
using Turn = CgroupSetting::Turn;

constexpr std::uint64_t k_least_shares = 2;
constexpr std::uint64_t k_most_shares = 262'144;

void convert_shares(CgroupConversion& to, const SpecCpu& cpu) {
  if (cpu.shares.value_or(0) == 0) return;
  const std::uint64_t shares = std::clamp(*cpu.shares, k_least_shares, k_most_shares);
  if (shares != *cpu.shares) {
    to.warn("cpu.shares", str(*cpu.shares, " is out of range, taken as ", shares));
  }
  if (to.version_of("cpu", "cpu.shares") == 1) {
    to.add("cpu", "cpu.shares", "cpu.shares", std::to_string(shares));
  } else {
    to.add("cpu", "cpu.shares", "cpu.weight", std::to_string(weight_of_shares(shares)));
  }
}

/// A group that is idle has no shares, so they are set while it is not.
void convert_idle(CgroupConversion& to, const SpecCpu& cpu) {
  if (!cpu.idle) return;
  if (*cpu.idle == 0 && !to.find_version_of("cpu")) return;
  to.version_of("cpu", "cpu.idle");
  to.add("cpu", "cpu.idle", "cpu.idle", std::to_string(*cpu.idle)).missing =
      *cpu.idle == 0 ? Missing::nothing : Missing::error;
}

void convert_quota_1(CgroupConversion& to, std::int64_t quota, std::uint64_t period) {
  if (period != 0) {
    to.add("cpu", "cpu.period", "cpu.cfs_period_us", std::to_string(period)).turn =
        Turn::again_if_invalid;
  }
  if (quota != 0) {
    to.add("cpu", "cpu.quota", "cpu.cfs_quota_us",
           std::to_string(std::max<std::int64_t>(quota, -1)))
        .turn = Turn::again_if_invalid;
  }
}

void convert_quota_2(CgroupConversion& to, std::int64_t quota, std::uint64_t period,
                     const CgroupPresent& present) {
  if (quota == 0 && period == 0) return;
  std::string value = quota > 0                                ? std::to_string(quota)
                      : quota < 0 || present.cpu_quota.empty() ? std::string("max")
                                                               : present.cpu_quota;
  if (period != 0) value += str(' ', period);
  to.add("cpu", quota != 0 ? "cpu.quota" : "cpu.period", "cpu.max", value).turn =
      Turn::again_if_invalid;
}

/// The kernel checks each value against those in force, here and above.
void convert_bandwidth(CgroupConversion& to, const SpecCpu& cpu, const CgroupPresent& present) {
  const std::int64_t quota = cpu.quota.value_or(0);
  const std::uint64_t period = cpu.period.value_or(0);
  if (quota == 0 && period == 0 && !cpu.burst) return;
  const int version = to.version_of("cpu", quota != 0    ? "cpu.quota"
                                           : period != 0 ? "cpu.period"
                                                         : "cpu.burst");
  if (version == 1) {
    convert_quota_1(to, quota, period);
  } else {
    convert_quota_2(to, quota, period, present);
  }
  if (cpu.burst) {
    CgroupSetting& burst =
        to.add("cpu", "cpu.burst", version == 1 ? "cpu.cfs_burst_us" : "cpu.max.burst",
               std::to_string(*cpu.burst));
    burst.turn = Turn::again_if_invalid;
    if (*cpu.burst == 0) burst.missing = Missing::nothing;
  }
}

void convert_realtime(CgroupConversion& to, const SpecCpu& cpu) {
  const std::int64_t runtime = cpu.realtime_runtime.value_or(0);
  const std::uint64_t period = cpu.realtime_period.value_or(0);
  if (runtime == 0 && period == 0) return;
  const std::string first = period != 0 ? "cpu.realtimePeriod" : "cpu.realtimeRuntime";
  if (to.version_of("cpu", first) == 2) {
    refuse_property(first, "cgroup version 2 has no limits for realtime processes");
  }
  const auto add = [&](const char* property, const char* file, std::string value) {
    CgroupSetting& setting = to.add("cpu", property, file, std::move(value));
    setting.turn = Turn::again_if_invalid;
    setting.reach = CgroupSetting::Reach::ancestors_first;
  };
  if (period != 0) add("cpu.realtimePeriod", "cpu.rt_period_us", std::to_string(period));
  if (runtime != 0) add("cpu.realtimeRuntime", "cpu.rt_runtime_us", std::to_string(runtime));
}

void convert_cpuset(CgroupConversion& to, const SpecCpu& cpu) {
  if (!cpu.cpus.empty()) {
    to.version_of("cpuset", "cpu.cpus");
    to.add("cpuset", "cpu.cpus", "cpuset.cpus", cpu.cpus);
  }
  if (!cpu.mems.empty()) {
    to.version_of("cpuset", "cpu.mems");
    to.add("cpuset", "cpu.mems", "cpuset.mems", cpu.mems);
  }
}

}  // namespace

std::uint64_t weight_of_shares(std::uint64_t shares) {
  if (shares <= k_least_shares) return 1;
  if (shares >= k_most_shares) return 10'000;
  // A curve through (2, 1), (1024, 100) and (262144, 10000): the ends and the two defaults meet.
  const double l = std::log2(static_cast<double>(shares));
  const double exponent = (l * l + 125 * l) / 612.0 - 7.0 / 34.0;
  return static_cast<std::uint64_t>(std::ceil(std::pow(10, exponent)));
}

void convert_cpu(CgroupConversion& to, const SpecCpu& cpu, const CgroupPresent& present) {
  const bool becomes_idle = cpu.idle.value_or(0) != 0;
  if (!becomes_idle) convert_idle(to, cpu);
  convert_shares(to, cpu);
  if (becomes_idle) convert_idle(to, cpu);
  convert_bandwidth(to, cpu, present);
  convert_realtime(to, cpu);
  convert_cpuset(to, cpu);
}

}  // namespace lade::runner
