// The default system call profile as data: which calls a container may make, by what they are for.
// Calls that no list names, such as those of newer kernels, are answered with ENOSYS, so that
// libraries fall back to older ones; calls that are denied on purpose with EPERM.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace lade::runner {

/// Calls for one purpose. With a capability they are denied to containers that lack it.
struct SyscallGroup {
  std::string_view purpose;
  std::string_view capability;  ///< `CAP_…`, or empty: allowed to all
  std::span<const char* const> names;
};

/// Everything that may be allowed.
std::span<const SyscallGroup> syscall_groups();

/// Denied to all.
std::span<const char* const> denied_syscalls();

/// The clone(2) flags that make namespaces, each of which needs CAP_SYS_ADMIN.
std::span<const std::uint64_t> namespace_flags();

/// What personality(2) may be asked for.
std::span<const std::uint64_t> allowed_personalities();

/// The one address family that may not be used: it reaches the hypervisor past every network
/// namespace.
inline constexpr std::uint64_t k_denied_family = 40;  // AF_VSOCK
/// The last address family that Linux has.
inline constexpr std::uint64_t k_last_family = 45;

}  // namespace lade::runner
