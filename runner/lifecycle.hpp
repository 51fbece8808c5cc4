// The life of a container as the runtime specification has it: create, start, kill, delete, each a
// command of its own, with nothing running in between. runtime-spec, runtime.md "Lifecycle".
#pragma once

#include "oci/runtime_spec.hpp"
#include "runner/cgroups/manager.hpp"
#include "runner/container_state.hpp"
#include "runner/runtime_root.hpp"

#include <functional>
#include <string>
#include <vector>

namespace lade::runner {

class Cgroup;

/// What every command is given.
struct Runtime {
  RuntimeRoot root;
  CgroupManager cgroups = CgroupManager::cgroupfs;
  /// What the user should know although it stops nothing.
  std::function<void(const std::string&)> warn;
};

/// A container to be made.
struct NewContainer {
  std::string id;
  std::string bundle;                  ///< the directory of config.json
  std::string config = "config.json";  ///< its name there, or an absolute path
  std::string pid_file;                ///< gets the first process's pid; empty: none
  std::string console_socket;          ///< gets the terminal; empty: none
  unsigned preserved_fds = 0;          ///< descriptors from 3 on for the program
};

/// What happens to a container when the run of it is over.
enum class AfterRun { removed, kept };

/// Makes a container, which then waits for start_container(). Throws with nothing left behind.
void create_container(const Runtime& runtime, const NewContainer& container);

/// Lets a container that waits become its program. Throws CannotRun, or Error if it does not wait.
void start_container(const Runtime& runtime, const std::string& id);

/// create and start in one, and in the foreground to the end; the program's exit code.
int run_container(const Runtime& runtime, const NewContainer& container, AfterRun after);

/// create and start in one; the container lives on.
void run_detached(const Runtime& runtime, const NewContainer& container);

/// Where a container is in its life.
ContainerStatus status_of(const ContainerHome& home, const ContainerState& state);
/// The same for whoever has its cgroup open.
ContainerStatus status_of(const ContainerHome& home, const ContainerState& state,
                          const Cgroup& cgroup);

/// Whom a signal is for.
enum class Recipients { first_process, all };

/// Sends a signal. Throws Error if the container is not alive.
void kill_container(const Runtime& runtime, const std::string& id, int signal,
                    Recipients recipients);

/// What delete does with a container that lives.
enum class DeleteLiving { refuses, kills };

/// Removes what is left of a container, and runs its poststop hooks. With DeleteLiving::kills one
/// that there is not is no error.
void delete_container(const Runtime& runtime, const std::string& id, DeleteLiving living);

/// Stops all processes of a container, and lets them run again. Throws Error in a state in which
/// that makes no sense.
void pause_container(const Runtime& runtime, const std::string& id);
void resume_container(const Runtime& runtime, const std::string& id);

/// The pids of a container's processes.
std::vector<pid_t> processes_of(const Runtime& runtime, const std::string& id);

/// Changes a container's limits.
void update_container(const Runtime& runtime, const std::string& id,
                      const SpecResources& resources);

}  // namespace lade::runner
