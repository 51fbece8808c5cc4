// linux.seccomp of the OCI runtime configuration. runtime-spec, config-linux.md "Seccomp"; the
// words
// (`SCMP_ACT_ALLOW`, `SCMP_CMP_EQ`, `SCMP_ARCH_X86_64`, `SECCOMP_FILTER_FLAG_LOG`) stay as they
// are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lade {

/// linux.seccomp.syscalls[].args[].
struct SpecSyscallArgument {
  std::uint32_t index = 0;  ///< 0 to 5
  std::uint64_t value = 0;
  std::uint64_t value_two = 0;  ///< the value that SCMP_CMP_MASKED_EQ compares with
  std::string op;               ///< `SCMP_CMP_…`
};

/// linux.seccomp.syscalls[]. All `arguments` must match.
struct SpecSyscallRule {
  std::vector<std::string> names;
  std::string action;  ///< `SCMP_ACT_…`
  std::optional<std::uint32_t> errno_value;
  std::vector<SpecSyscallArgument> arguments;
};

/// linux.seccomp.
struct SpecSeccomp {
  std::string default_action;
  std::optional<std::uint32_t> default_errno;
  std::vector<std::string> architectures;  ///< besides the host's own
  std::vector<std::string> flags;
  std::string listener_path;  ///< a socket that gets the notify descriptor; empty: none
  std::string listener_metadata;
  std::vector<SpecSyscallRule> syscalls;
};

}  // namespace lade
