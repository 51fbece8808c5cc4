#include "runner/lifecycle.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/runtime_spec_json.hpp"
#include "runner/container_cgroup.hpp"
#include "runner/creation.hpp"
#include "runner/hooks.hpp"
#include "runner/hosted_root.hpp"
#include "runner/launch.hpp"
#include "runner/resctrl.hpp"
#include "runner/signals.hpp"
#include "runner/start_socket.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>

namespace lade::runner {

namespace {

constexpr std::chrono::seconds k_patience{10};

/// A pidfd of the container's first process; invalid if that has ended.
Fd open_first_process(const ContainerState& state) {
  if (state.init.pid <= 0) return {};
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, state.init.pid, 0)));
  // Asked after it was opened: what was the container's then is so for as long as it is open.
  if (pidfd.valid() && !is_running(state.init)) pidfd.reset();
  return pidfd;
}

/// Waits until a process has ended. Throws Busy.
void await_end(const Fd& pidfd, const std::string& id) {
  pollfd watched{pidfd.get(), POLLIN, 0};
  const auto patience = std::chrono::duration_cast<std::chrono::milliseconds>(k_patience);
  const int count = ::poll(&watched, 1, static_cast<int>(patience.count()));
  if (count == 0) throw Busy(str("container ", quoted(id), " was killed and does not end"));
}

/// Its status, unless that is a question of whether it is paused.
std::optional<ContainerStatus> find_status_without_cgroup(const ContainerHome& home,
                                                          const ContainerState& state) {
  if (state.init.pid == 0) return ContainerStatus::creating;
  if (!is_running(state.init)) return ContainerStatus::stopped;
  if (waits_for_start(home)) return ContainerStatus::created;
  return std::nullopt;
}

ContainerStatus status_by(const Cgroup& cgroup) {
  return cgroup.frozen() ? ContainerStatus::paused : ContainerStatus::running;
}

/// A container's state, and where it is in its life.
struct Known {
  ContainerState state;
  ContainerStatus status;
};

Known know(const ContainerHome& home) {
  ContainerState state = home.get_state();
  const ContainerStatus status = status_of(home, state);
  return {std::move(state), status};
}

Error wrong_status(std::string_view what, const ContainerHome& home, ContainerStatus status) {
  return Error(str(what, " container ", quoted(home.id()), ": it is ", name_of(status)));
}

/// Kills a container and waits for its end.
void kill_and_wait(const ContainerState& state) {
  const Fd first = open_first_process(state);
  if (first.valid()) send_signal(first, SIGKILL);
  // One without a first process may have no cgroup of its own yet.
  if (state.init.pid != 0) {
    const Cgroup cgroup = open_container_cgroup(state);
    if (cgroup.exists()) cgroup.kill_all(k_patience);
  }
  if (first.valid()) await_end(first, state.id);
}

/// What follows the end of a container besides its cgroup and its files.
void clean_up(const Runtime& runtime, const ContainerHome& home, const ContainerState& state) {
  try {
    const Spec spec = parse_runtime_spec(home.read_config());
    if (spec.intel_rdt) leave_resctrl(*spec.intel_rdt, state.id);
    const std::string document = state_document(state, ContainerStatus::stopped, 0);
    for (const std::string& problem :
         run_every_hook(HookMoment::poststop, spec.hooks.poststop, document)) {
      if (runtime.warn) runtime.warn(problem);
    }
  } catch (const Error& error) {
    // Nothing may keep a container from being removed.
    if (runtime.warn) runtime.warn(error.what());
  }
}

/// The poststart hooks, of which one that fails stops the container.
void run_poststart_hooks(const ContainerHome& home, const ContainerState& state) {
  const Spec spec = parse_runtime_spec(home.read_config());
  try {
    run_hooks(HookMoment::poststart, spec.hooks.poststart,
              state_document(state, ContainerStatus::running, state.init.pid));
  } catch (...) {
    kill_and_wait(state);
    throw;
  }
}

}  // namespace

void create_container(const Runtime& runtime, const NewContainer& container) {
  Creation creation(runtime, container, Attention::detached);
  const Plan plan = creation.make_plan(StartMode::when_told);
  start(plan, creation.listen(), creation.duties());
  creation.keep();
}

void start_container(const Runtime& runtime, const std::string& id) {
  const ContainerHome home = runtime.root.get(id);
  const Fd lock = home.lock();
  const Known known = know(home);
  if (known.status != ContainerStatus::created) throw wrong_status("start", home, known.status);
  Channel channel = tell_start(home);
  for (;;) {
    const Channel::Message message = channel.receive();
    if (message.kind == Channel::Message::Kind::failure) rethrow(message.failure);
    if (message.kind == Channel::Message::Kind::closed) break;
  }
  run_poststart_hooks(home, known.state);
}

int run_container(const Runtime& runtime, const NewContainer& container, AfterRun after) {
  Creation creation(runtime, container, Attention::foreground);
  const Plan plan = creation.make_plan(StartMode::at_once);
  RunDuties duties;
  duties.start = creation.duties();
  duties.running = [&](const Child&) {
    creation.run_poststart();
    if (after == AfterRun::kept) {
      creation.keep();
    } else {
      creation.write_pid();
    }
  };
  const RunStreams streams{.stdin_mode = Stdin::open, .terminals = TerminalStreams::inherited};
  const ExitStatus status = run(plan, streams, std::move(duties));
  if (after == AfterRun::removed) creation.remove();
  return status.code;
}

void run_detached(const Runtime& runtime, const NewContainer& container) {
  Creation creation(runtime, container, Attention::detached);
  const Plan plan = creation.make_plan(StartMode::at_once);
  const Child child = start(plan, Fd(), creation.duties());
  try {
    creation.run_poststart();
  } catch (...) {
    send_signal(child.pidfd, SIGKILL);
    reap(child.pidfd);
    throw;
  }
  creation.keep();
}

ContainerStatus status_of(const ContainerHome& home, const ContainerState& state) {
  if (const auto status = find_status_without_cgroup(home, state)) return *status;
  return status_by(open_container_cgroup(state));
}

ContainerStatus status_of(const ContainerHome& home, const ContainerState& state,
                          const Cgroup& cgroup) {
  if (const auto status = find_status_without_cgroup(home, state)) return *status;
  return status_by(cgroup);
}

void kill_container(const Runtime& runtime, const std::string& id, int signal,
                    Recipients recipients) {
  const ContainerHome home = runtime.root.get(id);
  const ContainerState state = home.get_state();
  const bool has_cgroup = !state.cgroup.empty();
  if (recipients == Recipients::all && has_cgroup) {
    open_container_cgroup(state).signal_all(signal);
    return;
  }
  const Fd first = open_first_process(state);
  if (!first.valid() || !send_signal(first, signal)) {
    throw Error(str("kill container ", quoted(id), ": container not running"));
  }
  if (signal != SIGKILL || !has_cgroup) return;
  const Cgroup cgroup = open_container_cgroup(state);
  // The others of a process id namespace end with its first process; nobody else does.
  if (!state.own_pid_namespace) cgroup.signal_all(SIGKILL);
  // What a version 1 freezer holds does not even die.
  if (cgroup.frozen()) cgroup.thaw();
}

void delete_container(const Runtime& runtime, const std::string& id, DeleteLiving living) {
  const auto found = runtime.root.find(id);
  const auto lock = found ? runtime.root.lock(*found) : std::nullopt;
  if (!lock) {
    if (living == DeleteLiving::kills) return;
    throw no_container(id);
  }
  if (const auto state = found->find_state()) {
    const ContainerStatus status = status_of(*found, *state);
    const bool may_go = living == DeleteLiving::kills || status == ContainerStatus::stopped ||
                        status == ContainerStatus::created;
    if (!may_go) throw wrong_status("delete", *found, status);
    if (status != ContainerStatus::stopped) kill_and_wait(*state);
    remove_container_cgroup(*state);
    detach_hosted_root(state->rootfs, state->hosted_mount);
    clean_up(runtime, *found, *state);
  } else if (living == DeleteLiving::refuses) {
    throw wrong_status("delete", *found, ContainerStatus::creating);
  }
  runtime.root.remove(id);
}

void pause_container(const Runtime& runtime, const std::string& id) {
  const ContainerHome home = runtime.root.get(id);
  const Fd lock = home.lock();
  const auto [state, status] = know(home);
  if (status != ContainerStatus::running && status != ContainerStatus::created) {
    throw wrong_status("pause", home, status);
  }
  if (state.cgroup.empty()) throw Error(str("pause container ", quoted(id), ": it has no cgroup"));
  open_container_cgroup(state).freeze(k_patience);
}

void resume_container(const Runtime& runtime, const std::string& id) {
  const ContainerHome home = runtime.root.get(id);
  const Fd lock = home.lock();
  const auto [state, status] = know(home);
  if (status != ContainerStatus::paused) throw wrong_status("resume", home, status);
  open_container_cgroup(state).thaw();
}

std::vector<pid_t> processes_of(const Runtime& runtime, const std::string& id) {
  const ContainerState state = runtime.root.get(id).get_state();
  if (!state.cgroup.empty()) return open_container_cgroup(state).processes();
  if (is_running(state.init)) return {state.init.pid};
  return {};
}

void update_container(const Runtime& runtime, const std::string& id,
                      const SpecResources& resources) {
  const ContainerHome home = runtime.root.get(id);
  const Fd lock = home.lock();
  const auto [state, status] = know(home);
  if (status == ContainerStatus::stopped) throw wrong_status("update", home, status);
  update_container_cgroup(state, resources, runtime.warn);
}

}  // namespace lade::runner
