// Another process in a container that runs.
#pragma once

#include "oci/runtime_spec.hpp"
#include "runner/lifecycle.hpp"

#include <functional>
#include <string>

namespace lade::runner {

/// Whether the caller stays with the process.
enum class ExecMode { foreground, detached };

/// What exec does in a container whose processes are stopped.
enum class ExecPaused { refuses, accepts };

/// A process for a container.
struct NewProcess {
  std::string id;  ///< the container's
  /// What it is, given the process of the container's own configuration.
  std::function<SpecProcess(SpecProcess of_container)> specify;
  std::string pid_file;
  std::string console_socket;
  unsigned preserved_fds = 0;
  ExecMode mode = ExecMode::foreground;
  ExecPaused paused = ExecPaused::refuses;
};

/// Runs a process in the container's namespaces and cgroup, with its filter; its exit code, or 0
/// at once if it is detached. Throws CannotRun, or Error if the container does not run.
int exec_in_container(const Runtime& runtime, const NewProcess& process);

}  // namespace lade::runner
