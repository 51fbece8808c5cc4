// A container's cgroup as a unit of systemd: its name, and the limits that systemd is told so that
// it keeps them when it reads its configuration again. Pure. org.freedesktop.systemd1(5).
#pragma once

#include "oci/runtime_resources.hpp"
#include "runner/cgroups/host.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lade::runner {

/// A scope, and the slice that it is in.
struct SystemdUnit {
  std::string slice;  ///< `machine.slice`
  std::string name;   ///< `libpod-ID.scope`
};

/// One property of a unit; the value's type is its type on the bus: b, i, t, s, as, au, ay.
struct SystemdProperty {
  using Value =
      std::variant<bool, std::int32_t, std::uint64_t, std::string, std::vector<std::string>,
                   std::vector<std::uint32_t>, std::vector<std::uint8_t>>;
  std::string name;
  Value value;
  bool operator==(const SystemdProperty&) const = default;
};

/// Whose manager: the host's, or that of the user who calls.
enum class SystemdInstance { system, user };

/// linux.cgroupsPath as `SLICE:PREFIX:NAME`; without a slice that which the instance has for such
/// things, and as `:lade:ID` when it is empty. Throws InvalidData for any other form, and for names
/// that are no unit's.
SystemdUnit decide_systemd_unit(std::string_view cgroups_path, std::string_view id,
                                SystemdInstance instance);

/// The limits that systemd knows of, in its words for the hierarchies of this host. The others are
/// written to the cgroup only. Throws InvalidData for a list of processors that is none.
std::vector<SystemdProperty> systemd_limits(const SpecResources& resources, const CgroupHost& host);

/// What annotations `org.systemd.property.NAME` ask for, as crun and runc have it; a value is
/// written as GVariant's text: `'word'`, `true`, `5`, `uint64 5`, `['one', 'two']`. Throws
/// InvalidData for one that cannot be read.
std::vector<SystemdProperty> annotated_properties(
    const std::vector<std::pair<std::string, std::string>>& annotations);

}  // namespace lade::runner
