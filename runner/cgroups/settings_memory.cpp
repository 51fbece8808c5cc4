// linux.resources.memory.

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/cgroups/conversion.hpp"

#include <cstdint>
#include <optional>

namespace lade::runner {

namespace {

using Missing = CgroupSetting::Missing;

constexpr const char* k_no_kernel_memory =
    "kernel memory has no limit of its own any more, and is counted with the rest";

/// The limits that are asked for: 0 says nothing, as engines that fill in every field mean it.
struct Limits {
  std::optional<std::int64_t> memory;
  std::optional<std::int64_t> swap;  ///< memory and swap together
};

Limits limits_of(const SpecMemory& memory, const CgroupPresent& present) {
  Limits limits{memory.limit, memory.swap};
  if (limits.memory == 0) limits.memory.reset();
  if (limits.swap == 0) limits.swap.reset();
  if (limits.memory && *limits.memory < -1) refuse_property("memory.limit", "it is negative");
  if (limits.swap && *limits.swap < -1) refuse_property("memory.swap", "it is negative");
  if (limits.swap && *limits.swap > 0) {
    const std::optional<std::int64_t> least =
        limits.memory ? limits.memory
        : present.memory_limit
            ? std::optional<std::int64_t>(static_cast<std::int64_t>(*present.memory_limit))
            : std::nullopt;
    if (!least || *least < 0) {
      refuse_property("memory.swap", "memory and swap have a limit, but memory has none");
    }
    if (*limits.swap < *least) {
      refuse_property("memory.swap", str("memory and swap together (", *limits.swap,
                                         " bytes) are less than memory alone (", *least, ')'));
    }
  }
  if (memory.check_before_update.value_or(false) && limits.memory && *limits.memory > 0 &&
      present.memory_usage && *present.memory_usage > static_cast<std::uint64_t>(*limits.memory)) {
    throw Error(str("linux.resources.memory.limit: ", *limits.memory, " bytes are less than the ",
                    *present.memory_usage, " in use"));
  }
  return limits;
}

/// Version 1 holds both limits, and refuses any moment at which memory's is the larger one.
void convert_limits_v1(CgroupConversion& to, const Limits& limits, const CgroupPresent& present) {
  const auto add_memory = [&] {
    if (!limits.memory) return;
    to.add("memory", "memory.limit", "memory.limit_in_bytes", std::to_string(*limits.memory));
  };
  const auto add_swap = [&] {
    if (limits.swap) {
      to.add("memory", "memory.swap", "memory.memsw.limit_in_bytes", std::to_string(*limits.swap));
    } else if (limits.memory == -1) {
      to.add("memory", "memory.swap", "memory.memsw.limit_in_bytes", "-1").missing =
          Missing::nothing;
    }
  };
  const bool grows =
      !limits.swap || *limits.swap == -1 ||
      (present.memory_limit && *present.memory_limit < static_cast<std::uint64_t>(*limits.swap));
  if (grows) {
    add_swap();
    add_memory();
  } else {
    add_memory();
    add_swap();
  }
}

/// Version 2 limits swap by itself.
void convert_limits_v2(CgroupConversion& to, const Limits& limits, const CgroupPresent& present) {
  if (limits.swap || limits.memory == -1) {
    std::int64_t swap = -1;
    if (limits.swap && *limits.swap > 0) {
      swap = *limits.swap -
             (limits.memory ? *limits.memory : static_cast<std::int64_t>(*present.memory_limit));
    }
    // Without the file there is no swap to be counted, or no counting of it.
    to.add("memory", "memory.swap", "memory.swap.max", v2_limit(swap)).missing =
        swap < 0    ? Missing::nothing
        : swap == 0 ? Missing::warning
                    : Missing::error;
  }
  if (limits.memory) to.add("memory", "memory.limit", "memory.max", v2_limit(*limits.memory));
}

void convert_v1_only(CgroupConversion& to, const SpecMemory& memory) {
  if (memory.kernel_tcp && *memory.kernel_tcp != 0) {
    to.add("memory", "memory.kernelTCP", "memory.kmem.tcp.limit_in_bytes",
           std::to_string(*memory.kernel_tcp))
        .missing = Missing::warning;
  }
  if (memory.swappiness) {
    to.add("memory", "memory.swappiness", "memory.swappiness", std::to_string(*memory.swappiness));
  }
  if (memory.disable_oom_killer) {
    to.add("memory", "memory.disableOOMKiller", "memory.oom_control",
           *memory.disable_oom_killer ? "1" : "0");
  }
}

void warn_of_v1_only(CgroupConversion& to, const SpecMemory& memory) {
  if (memory.kernel_tcp.value_or(0) != 0) {
    to.warn("memory.kernelTCP", "cgroup version 2 has no limit for this");
  }
  if (memory.swappiness) to.warn("memory.swappiness", "cgroup version 2 has no such setting");
  if (memory.disable_oom_killer.value_or(false)) {
    to.warn("memory.disableOOMKiller", "cgroup version 2 cannot do without it");
  }
}

bool asks_for_nothing(const SpecMemory& memory) {
  return memory.limit.value_or(0) == 0 && memory.reservation.value_or(0) == 0 &&
         memory.swap.value_or(0) == 0 && memory.kernel.value_or(0) == 0 &&
         memory.kernel_tcp.value_or(0) == 0 && !memory.swappiness &&
         !memory.disable_oom_killer.value_or(false) && memory.use_hierarchy.value_or(true);
}

}  // namespace

void convert_memory(CgroupConversion& to, const SpecMemory& memory, const CgroupPresent& present) {
  if (asks_for_nothing(memory)) return;
  const Limits limits = limits_of(memory, present);
  if (memory.swappiness.value_or(0) > 100) {
    refuse_property("memory.swappiness", str(*memory.swappiness, " is not within 0 to 100"));
  }
  const std::int64_t reservation = memory.reservation.value_or(0);
  if (memory.kernel.value_or(0) != 0) to.warn("memory.kernel", k_no_kernel_memory);
  if (memory.use_hierarchy == false) {
    to.warn("memory.useHierarchy", "the kernel counts by hierarchy always");
  }
  if (to.version_of("memory", "memory") == 1) {
    convert_limits_v1(to, limits, present);
    if (reservation != 0) {
      to.add("memory", "memory.reservation", "memory.soft_limit_in_bytes",
             std::to_string(reservation));
    }
    convert_v1_only(to, memory);
  } else {
    convert_limits_v2(to, limits, present);
    if (reservation != 0) {
      to.add("memory", "memory.reservation", "memory.low", v2_limit(reservation));
    }
    warn_of_v1_only(to, memory);
  }
}

}  // namespace lade::runner
