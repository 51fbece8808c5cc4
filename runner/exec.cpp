#include "runner/exec.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/runtime_spec_json.hpp"
#include "runner/console_socket.hpp"
#include "runner/container_cgroup.hpp"
#include "runner/launch.hpp"
#include "runner/namespaces.hpp"
#include "runner/pid_file.hpp"
#include "runner/resctrl.hpp"

namespace lade::runner {

namespace {

void check_status(const NewProcess& process, ContainerStatus status) {
  const bool is_ready =
      status == ContainerStatus::running || status == ContainerStatus::created ||
      (status == ContainerStatus::paused && process.paused == ExecPaused::accepts);
  if (is_ready) return;
  throw Error(str("exec in container ", quoted(process.id), ": it is ", name_of(status)));
}

void check_console(const NewProcess& process, const SpecProcess& specified) {
  const bool has_socket = !process.console_socket.empty();
  if (specified.terminal && !has_socket && process.mode == ExecMode::detached) {
    throw UsageError("a terminal needs --console-socket when nobody stays with the process");
  }
  if (!specified.terminal && has_socket) {
    throw UsageError("--console-socket: the process asks for no terminal");
  }
}

/// The container's specification as far as it is also that of another process in it.
Spec spec_for(const ContainerHome& home, const NewProcess& process) {
  Spec spec = parse_runtime_spec(home.read_config());
  spec.process = process.specify(std::move(spec.process));
  spec.hooks = {};
  return spec;
}

}  // namespace

int exec_in_container(const Runtime& runtime, const NewProcess& process) {
  const ContainerHome home = runtime.root.get(process.id);
  const ContainerState state = home.get_state();
  const Cgroup cgroup = open_container_cgroup(state);
  check_status(process, status_of(home, state, cgroup));
  const Spec spec = spec_for(home, process);
  check_console(process, spec.process);
  const Fd console =
      process.console_socket.empty() ? Fd() : connect_console_socket(process.console_socket);

  Plan plan = make_exec_plan(spec, state.hosted_mount == 0 ? std::string() : state.rootfs);
  plan.joined = namespaces_of(state.init.pid);
  plan.lifetime = Lifetime::independent;
  plan.preserved_fds = process.preserved_fds;
  plan.seccomp_cache = runtime.root.seccomp_cache();
  // Its namespaces were named by its pid, which may be another's by now.
  if (!is_running(state.init)) check_status(process, ContainerStatus::stopped);

  RunDuties duties;
  duties.start.warn = runtime.warn;
  CgroupEntrance entrance = entrance_beside(cgroup, state.init.pid);
  duties.start.birthplace = std::move(entrance.unified);
  duties.start.place = [&](const Child& child) {
    if (spec.intel_rdt) join_resctrl(*spec.intel_rdt, state.id, child.pid);
    if (!process.pid_file.empty()) write_pid_file(process.pid_file, child.pid);
    return std::move(entrance.tasks);
  };
  if (console.valid()) {
    duties.start.take_terminal = [&](Fd master) {
      set_console_size(master, spec.process.console_size);
      send_console(console, master);
    };
  }
  if (process.mode == ExecMode::detached) {
    start(plan, Fd(), std::move(duties.start));
    return 0;
  }
  const RunStreams streams{.stdin_mode = Stdin::open, .terminals = TerminalStreams::inherited};
  return run(plan, streams, std::move(duties)).code;
}

}  // namespace lade::runner
