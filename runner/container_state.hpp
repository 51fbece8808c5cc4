// What a runtime remembers of a container from one command to the next, and what others are told of
// it. runtime-spec, runtime.md "State".
#pragma once

#include "base/process_identity.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lade::runner {

/// Where a container is in its life. `paused` is runc's, beside the specification's four.
enum class ContainerStatus { creating, created, running, paused, stopped };

/// What is written down.
struct ContainerState {
  std::string id;
  ProcessIdentity init;              ///< the first process; pid 0 before there is one
  std::string bundle;                ///< absolute
  std::string rootfs;                ///< absolute
  std::string created;               ///< RFC 3339, UTC
  std::string owner;                 ///< the user who made it
  std::string cgroup;                ///< its path below the mount points; empty: none
  std::uint64_t cgroup_parents = 0;  ///< how many directories above that were made for it
  std::string systemd_unit;          ///< the scope that the cgroup is; empty: none of systemd's
  bool own_pid_namespace = true;
  std::uint64_t hosted_mount = 0;  ///< see hosted_root.hpp; 0: it has a mount namespace
  std::vector<std::pair<std::string, std::string>> annotations;
};

/// The words of the specification: `created`, `running`, …
std::string_view name_of(ContainerStatus status);

/// As a JSON document, and back. Throws InvalidData.
std::string write_container_state(const ContainerState& state);
ContainerState parse_container_state(std::string_view json);

/// What hooks get on their standard input, and `state` prints in a longer form. `pid` is the
/// container's as the reader sees it; 0 when there is none.
std::string state_document(const ContainerState& state, ContainerStatus status, pid_t pid);

/// What a seccomp listener gets with its descriptor: config-linux.md "The Container Process State".
std::string process_state_document(const ContainerState& state, std::string_view metadata);

/// What `state` and `list` print: state_document() and what runc adds to it.
std::string long_state_document(const ContainerState& state, ContainerStatus status);

}  // namespace lade::runner
