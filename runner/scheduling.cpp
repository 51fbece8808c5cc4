#include "runner/scheduling.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/number_list.hpp"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace lade::runner {

namespace {

/// struct sched_attr of the kernel (SCHED_ATTR_SIZE_VER0), which the C library does not have.
struct Attributes {
  std::uint32_t size = 48;
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};
static_assert(sizeof(Attributes) == 48);

constexpr std::uint32_t k_iso = 4;
constexpr std::uint32_t k_deadline = 6;

constexpr std::array<std::pair<std::string_view, std::uint32_t>, 7> k_policies{
    {{"SCHED_OTHER", SCHED_OTHER},
     {"SCHED_FIFO", SCHED_FIFO},
     {"SCHED_RR", SCHED_RR},
     {"SCHED_BATCH", SCHED_BATCH},
     {"SCHED_ISO", k_iso},
     {"SCHED_IDLE", SCHED_IDLE},
     {"SCHED_DEADLINE", k_deadline}}};

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 7> k_flags{
    {{"SCHED_FLAG_RESET_ON_FORK", 0x01},
     {"SCHED_FLAG_RECLAIM", 0x02},
     {"SCHED_FLAG_DL_OVERRUN", 0x04},
     {"SCHED_FLAG_KEEP_POLICY", 0x08},
     {"SCHED_FLAG_KEEP_PARAMS", 0x10},
     {"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
     {"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40}}};

constexpr std::array<std::pair<std::string_view, int>, 3> k_io_classes{
    {{"IOPRIO_CLASS_RT", 1}, {"IOPRIO_CLASS_BE", 2}, {"IOPRIO_CLASS_IDLE", 3}}};

template <class Table>
auto number_of(const Table& table, const std::string& name) {
  const auto* found = std::find_if(table.begin(), table.end(),
                                   [&](const auto& entry) { return entry.first == name; });
  if (found == table.end()) throw UsageError(str("unknown word ", quoted(name)));
  return found->second;
}

bool is_real_time(const SpecScheduler& scheduler) {
  return scheduler.policy == "SCHED_FIFO" || scheduler.policy == "SCHED_RR";
}

}  // namespace

void check_scheduler(const SpecScheduler& scheduler) {
  const auto refuse = [&](std::string_view parameter, std::string_view why) {
    throw UsageError(str("process.scheduler.", parameter, ": ", why, ' ', scheduler.policy));
  };
  if (scheduler.priority.value_or(0) != 0 && !is_real_time(scheduler)) {
    refuse("priority", "it means nothing to");
  }
  if (scheduler.policy != "SCHED_DEADLINE") {
    if (scheduler.runtime.value_or(0) != 0) refuse("runtime", "it means nothing to");
    if (scheduler.deadline.value_or(0) != 0) refuse("deadline", "it means nothing to");
    if (scheduler.period.value_or(0) != 0) refuse("period", "it means nothing to");
  }
  const auto nice = scheduler.nice.value_or(0);
  if (nice < -20 || nice > 19)
    refuse("nice", "it is not from -20 to 19, whatever the policy, here");
}

void set_scheduler(const SpecScheduler& scheduler) {
  Attributes attributes;
  attributes.policy = number_of(k_policies, scheduler.policy);
  for (const std::string& flag : scheduler.flags) attributes.flags |= number_of(k_flags, flag);
  attributes.nice = scheduler.nice.value_or(0);
  attributes.priority = static_cast<std::uint32_t>(scheduler.priority.value_or(0));
  attributes.runtime = scheduler.runtime.value_or(0);
  attributes.deadline = scheduler.deadline.value_or(0);
  attributes.period = scheduler.period.value_or(0);
  if (::syscall(SYS_sched_setattr, 0, &attributes, 0) == 0) return;
  const int code = errno;
  SystemError error(code, str("set the scheduler ", scheduler.policy));
  if (code == EPERM && is_real_time(scheduler)) {
    error.set_hint("a version 1 cpu cgroup needs `cpu.rt_runtime_us` for it, all the way down");
  }
  throw error;
}

void set_io_priority(const SpecIoPriority& priority) {
  constexpr int k_class_shift = 13;
  constexpr int k_process = 1;
  const int value =
      number_of(k_io_classes, priority.class_name) << k_class_shift | priority.priority;
  check_syscall(::syscall(SYS_ioprio_set, k_process, 0, value), [&] {
    return str("set the I/O priority to ", priority.class_name, ' ', priority.priority);
  });
}

void set_affinity(pid_t pid, const std::string& processors) {
  const BitMask mask = parse_number_list(processors);
  check_syscall(
      ::syscall(SYS_sched_setaffinity, pid, mask.size() * sizeof(unsigned long), mask.data()),
      [&] { return str("let it run on processors ", quoted(processors)); });
}

}  // namespace lade::runner
