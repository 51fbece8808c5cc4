// A container between the first look at its bundle and its first process: what create and run
// share. Everything that was made is undone unless the container is kept.
#pragma once

#include "runner/container_cgroup.hpp"
#include "runner/lifecycle.hpp"
#include "runner/plan.hpp"
#include "runner/start_socket.hpp"
#include "runner/starting.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lade::runner {

/// Whether the caller stays with the container.
enum class Attention { foreground, detached };

/// A container as its bundle describes it.
struct Bundle {
  std::string path;    ///< absolute
  std::string config;  ///< the configuration's text
  Spec spec;           ///< root.path is absolute
};

/// Reads and checks the configuration. Throws what is wrong with it, and SystemError.
Bundle open_bundle(const NewContainer& container);

class Creation {
 public:
  /// Reads and checks the configuration, takes the id, makes the cgroup. Throws with nothing left.
  Creation(const Runtime& runtime, const NewContainer& container, Attention attention);
  Creation(const Creation&) = delete;
  Creation& operator=(const Creation&) = delete;
  /// Undoes it, unless keep() was called.
  ~Creation();

  Plan make_plan(StartMode mode) const;
  /// For the container's first process.
  Fd listen() const { return listen_for_start(*home_); }
  /// What is to be done while it starts.
  StartDuties duties();
  /// Tells whoever asked for it the first process's pid.
  void write_pid() const;
  /// write_pid(), and from now on the container is delete_container()'s to remove.
  void keep();
  /// Removes the container, which has ended, unless somebody else has. Throws Busy, SystemError.
  void remove();
  /// Runs the poststart hooks. Throws what the first that fails says.
  void run_poststart();

 private:
  std::vector<Fd> place(const Child& child);
  void run_host_hooks();
  /// Sends the notify descriptor of the filter to whoever answers it.
  void hand_on(const Fd& listener);

  const Runtime& runtime_;
  const NewContainer& container_;
  Spec spec_;
  ContainerState state_;
  Fd console_;
  std::optional<ContainerHome> home_;
  std::optional<NewCgroup> cgroup_;
  bool owes_poststop_ = false;  ///< the hooks that are the others' counterpart
  bool kept_ = false;
};

}  // namespace lade::runner
