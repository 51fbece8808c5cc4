// Which process something belongs to, so that it can be told later whether that process still
// lives: a pid alone is used again.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace lade {

/// A process of some boot of this host.
struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  ///< ticks after the boot, as /proc/PID/stat has it
  std::string boot;              ///< /proc/sys/kernel/random/boot_id

  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};

/// Of the boot of this host: /proc/sys/kernel/random/boot_id. Throws SystemError without /proc.
std::string boot_id();

/// This process. Throws SystemError without /proc.
ProcessIdentity this_process();

/// The process of that number; nothing if there is none. Throws SystemError without /proc.
std::optional<ProcessIdentity> find_process(pid_t pid);

/// Whether that very process is there now, a zombie included. One of another pid namespace counts
/// as dead: those who share a directory of ours share the namespace.
bool is_alive(const ProcessIdentity& process);

/// Whether that very process is there and has not ended: a zombie has.
bool is_running(const ProcessIdentity& process);

}  // namespace lade
