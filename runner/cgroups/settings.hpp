// linux.resources turned into writes to the files of a cgroup: runtime-spec, config-linux.md
// "Control groups", for version 1 and version 2, each controller where this host has it. Pure.
#pragma once

#include "oci/runtime_resources.hpp"
#include "runner/cgroups/host.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::runner {

/// One value for one file of the container's cgroup.
struct CgroupSetting {
  /// What it means that none of the files is there.
  enum class Missing { error, warning, nothing };
  /// When it is written.
  enum class Turn {
    once,
    again_if_invalid  ///< EINVAL: once more after all others, when what it depends on is in force
  };
  /// Which cgroups are written.
  enum class Reach {
    container,
    ancestors_first  ///< those above it that were made for it too, from the top
  };
  struct Place {
    std::string file;
    std::string value;
    bool operator==(const Place&) const = default;
  };

  std::string controller;     ///< `memory`; `cgroup` for the files of version 2 itself
  std::string property;       ///< `memory.limit`, of linux.resources
  std::vector<Place> places;  ///< the first whose file is there is written
  Missing missing = Missing::error;
  Turn turn = Turn::once;
  Reach reach = Reach::container;
};

/// What is to be written, in this order, and what cannot be.
struct CgroupChange {
  std::vector<CgroupSetting> settings;
  std::vector<std::string> warnings;
};

/// What is in force in a cgroup already, where a change depends on it.
struct CgroupPresent {
  std::optional<std::uint64_t> memory_limit;  ///< bytes; nothing: no limit
  std::optional<std::uint64_t> memory_usage;  ///< bytes; nothing: not known
  std::string cpu_quota;                      ///< version 2: the first word of cpu.max; or empty
};

/// The writes for all of `resources` but its device rules. `present` is that of a new cgroup if
/// nothing is given. Throws InvalidData for what contradicts itself, and Error for what this host
/// cannot do at all; lesser losses are warnings.
CgroupChange convert_resources(const SpecResources& resources, const CgroupHost& host,
                               const CgroupPresent& present = {});

/// cpu.shares of version 1 (2 to 262144) as cpu.weight of version 2 (1 to 10000): 1024 is 100.
std::uint64_t weight_of_shares(std::uint64_t shares);

/// blkio.weight of version 1 (10 to 1000) as io.weight of version 2 (1 to 10000).
std::uint64_t io_weight_of_blkio(std::uint64_t weight);

/// The version 2 controllers that must be enabled for a container on this host: on a host with
/// version 2 only, all that limits and statistics know; on a hybrid one, those of `resources`.
std::vector<std::string> controllers_to_enable(const SpecResources& resources,
                                               const CgroupHost& host);

}  // namespace lade::runner
