// linux.resources.devices: which devices the processes of a container may open and make. Pure:
// rules in, what the kernel is to be told out, for version 1 (devices.allow, devices.deny) and for
// version 2 (a BPF program).
#pragma once

#include "oci/runtime_resources.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lade::runner {

/// What may be done with a device, as bits.
inline constexpr unsigned k_device_mknod = 1;
inline constexpr unsigned k_device_read = 2;
inline constexpr unsigned k_device_write = 4;

/// One device, or many, and what may or may not be done with it.
struct DeviceException {
  char type = 'c';                    ///< `c` or `b`
  std::optional<std::int64_t> major;  ///< absent: any
  std::optional<std::int64_t> minor;
  unsigned access = 0;  ///< of k_device_mknod, k_device_read, k_device_write
  bool allow = false;

  bool operator==(const DeviceException&) const = default;
};

/// The rules as one default with rules on top of it, of which a later one wins. Version 1 knows no
/// order: it can take only what has nothing but exceptions of one kind that do not contradict.
struct DevicePolicy {
  bool allow_by_default = false;
  std::vector<DeviceException> rules;
};

/// Reads the rules in their order, from a beginning at which nothing is allowed, and adds what
/// every container has: the nodes that the runtime makes, terminals, tun, and mknod of anything.
/// Throws InvalidData for a rule that is none.
DevicePolicy make_device_policy(const std::vector<SpecDeviceRule>& rules);

/// One write to devices.allow or devices.deny.
struct DeviceLine {
  bool allow = false;
  std::string text;  ///< `c 1:3 rwm`
  bool operator==(const DeviceLine&) const = default;
};

/// The writes for version 1; nothing if it cannot express the policy: if some of what a rule
/// allows is denied again by another, or the other way round.
std::optional<std::vector<DeviceLine>> device_lines(const DevicePolicy& policy);

/// One instruction of a BPF program, as the kernel takes it.
struct BpfInstruction {
  std::uint8_t code = 0;
  std::uint8_t registers = 0;  ///< destination in the low half
  std::int16_t offset = 0;
  std::int32_t immediate = 0;
};

/// The program for version 2: 1 for what is allowed, 0 for the rest. For each kind of access the
/// last rule about a device decides.
std::vector<BpfInstruction> device_program(const DevicePolicy& policy);

}  // namespace lade::runner
