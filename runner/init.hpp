// The child half of launch(): the container's first process, from the clone to its program.
#pragma once

#include "runner/channel.hpp"
#include "runner/execute.hpp"
#include "runner/mount_cgroups.hpp"
#include "runner/mounts.hpp"
#include "runner/namespaces.hpp"
#include "runner/plan.hpp"
#include "runner/seccomp/filter.hpp"
#include "runner/stdio.hpp"
#include "runner/trace.hpp"

#include <vector>

namespace lade::runner {

/// What the parent has got ready for the steps, inherited by the clone.
struct Preparation {
  /// Namespaces to join from within the cgroup. Of cgroups: a hierarchy mounted with `nsdelegate`,
  /// as systemd does, lets nobody enter it from outside of what they see (ENOENT). Of time: only a
  /// process with memory of its own can.
  std::vector<OpenNamespace> late;
  FileIdentity own_file;         ///< lade's
  Fd start_listener;             ///< for AwaitStart
  std::vector<Fd> bind_sources;  ///< by the step's index
  std::vector<CgroupHierarchy> cgroups;
  ContainerStdio stdio;
  SeccompFilter seccomp;
  Trace* trace = nullptr;  ///< notes every step, if there is one
};

/// Takes the steps, and waits for the parent's word before the first for which that matters.
/// Returns only on failure, of which the parent was told; the result is an exit code for nobody.
int init_main(const Plan& plan, const Preparation& preparation, ChannelPair& channel) noexcept;

}  // namespace lade::runner
