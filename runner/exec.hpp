// Another process in a container that runs.
#pragma once

#include "oci/runtime_spec.hpp"
#include "runner/lifecycle.hpp"

#include <string>

namespace lade::runner {

/// Whether the caller stays with the process.
enum class ExecMode { foreground, detached };

/// What exec does in a container whose processes are stopped.
enum class ExecPaused { refuses, accepts };

/// A process for a container.
struct NewProcess {
  std::string id;  ///< the container's
  SpecProcess process;
  std::string pid_file;
  std::string console_socket;
  unsigned preserved_fds = 0;
  ExecMode mode = ExecMode::foreground;
  ExecPaused paused = ExecPaused::refuses;
};

/// The process of the container's own configuration: what a command line changes parts of.
SpecProcess process_of(const Runtime& runtime, const std::string& id);

/// Runs a process in the container's namespaces and cgroup, with its filter; its exit code, or 0
/// at once if it is detached. Throws CannotRun, or Error if the container does not run.
int exec_in_container(const Runtime& runtime, const NewProcess& process);

}  // namespace lade::runner
