#include "runner/seccomp.hpp"

#include "base/error.hpp"
#include "runner/defaults.hpp"
#include "runner/seccomp_compile.hpp"
#include "runner/seccomp_profile.hpp"

#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace lade::runner {

namespace {

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

}  // namespace

SeccompProgram make_seccomp_program(const std::vector<std::string>& capabilities) {
  if (same_for_profile(capabilities, default_capabilities())) {
    return {std::begin(k_default_program), std::end(k_default_program)};
  }
  return compile_seccomp_profile(capabilities);
}

void load_seccomp(const SeccompProgram& program) {
  sock_fprog filter{};
  filter.len = static_cast<unsigned short>(program.size());
  filter.filter = const_cast<sock_filter*>(program.data());
  check_syscall(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter),
                [] { return std::string("load the system call filter"); });
}

}  // namespace lade::runner
