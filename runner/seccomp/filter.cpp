#include "runner/seccomp/filter.hpp"

#include "base/error.hpp"
#include "runner/defaults.hpp"
#include "runner/seccomp/cache.hpp"
#include "runner/seccomp/compile.hpp"
#include "runner/seccomp/profile.hpp"
#include "runner/seccomp/ranges.hpp"

#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace lade::runner {

namespace {

// Of Linux 5.19; older headers lack it.
constexpr unsigned long k_wait_killable = 1UL << 5;

constexpr sock_filter k_default_program[] = {
#include "runner/seccomp_default.inc"
};

/// Whether both sets are the same to the profile, which asks for a few capabilities only.
bool same_for_profile(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const auto holds = [](const std::vector<std::string>& set, std::string_view wanted) {
    return std::find(set.begin(), set.end(), wanted) != set.end();
  };
  const auto groups = syscall_groups();
  return std::all_of(groups.begin(), groups.end(), [&](const SyscallGroup& group) {
    return group.capability.empty() || holds(a, group.capability) == holds(b, group.capability);
  });
}

constexpr std::array<std::pair<std::string_view, unsigned long>, 4> k_flags{
    {{"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
     {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
     {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
     {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", k_wait_killable}}};

unsigned flags_of(const SpecSeccomp& filter) {
  unsigned long flags = 0;
  for (const auto& [name, flag] : k_flags) {
    if (std::find(filter.flags.begin(), filter.flags.end(), name) != filter.flags.end()) {
      flags |= flag;
    }
  }
  const bool notifies =
      std::any_of(filter.syscalls.begin(), filter.syscalls.end(),
                  [](const SpecSyscallRule& rule) { return rule.action == "SCMP_ACT_NOTIFY"; });
  if (notifies) {
    flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // With one thread there is nothing to synchronise, and the kernel takes not both.
    flags &= ~static_cast<unsigned long>(SECCOMP_FILTER_FLAG_TSYNC);
  } else {
    flags &= ~k_wait_killable;
  }
  return static_cast<unsigned>(flags);
}

}  // namespace

SeccompProgram make_seccomp_program(const std::vector<std::string>& capabilities) {
  if (same_for_profile(capabilities, default_capabilities())) {
    return {std::begin(k_default_program), std::end(k_default_program)};
  }
  return with_ranges(compile_seccomp_profile(capabilities));
}

SeccompFilter make_seccomp_filter(const step::LoadSeccomp& step, const std::string& cache) {
  if (!step.filter) return {make_seccomp_program(step.capabilities), 0};
  const auto compile = [&] { return with_ranges(compile_seccomp(*step.filter)); };
  SeccompProgram program =
      cache.empty() ? compile() : find_or_compile(cache, cache_key(*step.filter), compile);
  return {std::move(program), flags_of(*step.filter)};
}

Fd load_seccomp(const SeccompFilter& filter) {
  sock_fprog program{};
  program.len = static_cast<unsigned short>(filter.program.size());
  program.filter = const_cast<sock_filter*>(filter.program.data());
  const auto result =
      check_syscall(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter.flags, &program),
                    [] { return std::string("load the system call filter"); });
  if ((filter.flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) == 0) return Fd();
  return Fd(static_cast<int>(result));
}

}  // namespace lade::runner
