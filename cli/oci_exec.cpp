#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "cli/oci_runtime.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"
#include "oci/runtime_spec_json.hpp"
#include "runner/exec.hpp"

#include <algorithm>
#include <utility>

namespace lade::cli {

namespace {

constexpr std::size_t k_process_cap = 16 * 1024 * 1024;

/// A number from 0 to 2^32-2, and nothing else: an id that is half understood is somebody else's.
std::uint32_t parse_id(std::string_view text, const std::string& whole) {
  const auto id = parse_number<std::uint32_t>(text);
  if (!id || *id == UINT32_MAX) throw UsageError(str("user ", quoted(whole), ": not UID[:GID]"));
  return *id;
}

SpecUserIds parse_user(const std::string& text) {
  const auto colon = text.find(':');
  SpecUserIds ids;
  ids.uid = parse_id(std::string_view(text).substr(0, colon), text);
  if (colon != std::string::npos)
    ids.gid = parse_id(std::string_view(text).substr(colon + 1), text);
  return ids;
}

void add_capabilities(SpecCapabilities& capabilities, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    for (auto* set : {&capabilities.bounding, &capabilities.effective, &capabilities.permitted}) {
      if (std::find(set->begin(), set->end(), name) == set->end()) set->push_back(name);
    }
  }
}

/// The container's own process with what the command line says otherwise.
SpecProcess process_from_options(SpecProcess process, const OciExecArguments& arguments) {
  process.args = arguments.command;
  process.terminal = arguments.terminal;
  process.console_size.reset();
  if (arguments.cwd) process.cwd = *arguments.cwd;
  if (arguments.user) process.user.ids = parse_user(*arguments.user);
  if (!process.user.ids) process.user.ids = SpecUserIds();
  for (const std::string& text : arguments.additional_gids) {
    process.user.ids->additional_gids.push_back(parse_id(text, text));
  }
  process.env.insert(process.env.end(), arguments.env.begin(), arguments.env.end());
  add_capabilities(process.capabilities, arguments.capabilities);
  if (arguments.apparmor) process.apparmor_profile = *arguments.apparmor;
  if (arguments.process_label) process.selinux_label = *arguments.process_label;
  if (arguments.no_new_privileges) process.no_new_privileges = true;
  return process;
}

}  // namespace

void declare_options(OptionSet& options, OciExecArguments& exec) {
  options.rest(exec.command);
  options.value("-p,--process", exec.process);
  options.value("--pid-file", exec.pid_file);
  options.value("--console-socket", exec.console_socket);
  options.number("--preserve-fds", exec.preserved_fds, {0, 1024});
  options.value("--cwd", exec.cwd);
  options.value("-u,--user", exec.user);
  options.value("-g,--additional-gids", exec.additional_gids);
  options.value("-e,--env", exec.env);
  options.value("-c,--cap", exec.capabilities);
  options.value("--apparmor", exec.apparmor);
  options.value("--process-label", exec.process_label);
  options.flag("-t,--tty", exec.terminal);
  options.flag("-d,--detach", exec.detach);
  options.flag("--no-new-privs", exec.no_new_privileges);
  options.flag("--ignore-paused", exec.ignore_paused);
  options.refused_value("--cgroup");
  options.check([&] {
    if (exec.command.empty()) throw UsageError("no container given");
    exec.id = exec.command.front();
    exec.command.erase(exec.command.begin());
    if (!exec.command.empty() && exec.command.front() == "--") {
      exec.command.erase(exec.command.begin());
    }
    if (exec.command.empty() && exec.process.empty()) throw UsageError("no command given");
  });
}

int run_verb(const App& app, const OciExecArguments& arguments) {
  const runner::Runtime runtime = open_runtime(app);
  runner::NewProcess process;
  process.id = arguments.id;
  process.specify = [&](SpecProcess of_container) {
    if (arguments.process.empty()) {
      return process_from_options(std::move(of_container), arguments);
    }
    SpecProcess specified = parse_runtime_process(read_file(arguments.process, k_process_cap));
    if (arguments.terminal) specified.terminal = true;
    return specified;
  };
  process.pid_file = arguments.pid_file;
  process.console_socket = arguments.console_socket;
  process.preserved_fds = arguments.preserved_fds;
  process.mode = arguments.detach ? runner::ExecMode::detached : runner::ExecMode::foreground;
  process.paused =
      arguments.ignore_paused ? runner::ExecPaused::accepts : runner::ExecPaused::refuses;
  return runner::exec_in_container(runtime, process);
}

}  // namespace lade::cli
