#include "cli/oci_runtime.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "runner/caller.hpp"

#include <unistd.h>

namespace lade::cli {

namespace {

/// A variable of the caller's environment; empty if it is not set.
std::string variable(const App& app, std::string_view name) {
  for (const std::string& each : app.environment.variables) {
    if (each.size() > name.size() && each.starts_with(name) && each[name.size()] == '=') {
      return each.substr(name.size() + 1);
    }
  }
  return {};
}

std::string default_root(const App& app) {
  const std::string directory = variable(app, "XDG_RUNTIME_DIR");
  if (::geteuid() == 0 && (directory.empty() || runner::acts_for_system())) return "/run/lade/oci";
  if (directory.empty()) {
    throw UsageError("--root: needed where XDG_RUNTIME_DIR is not set");
  }
  return directory + "/lade/oci";
}

/// sd_listen_fds(3): descriptors from 3 on, meant for this process.
unsigned listened_fds(const App& app) {
  constexpr unsigned most = 1024;
  const auto count = parse_number<unsigned>(variable(app, "LISTEN_FDS"));
  if (!count || *count > most || variable(app, "LISTEN_PID") != str(::getpid())) return 0;
  return *count;
}

}  // namespace

runner::Runtime open_runtime(const App& app) {
  const RuntimeFlags& flags = app.global.runtime;
  return {.root = runner::RuntimeRoot::open(flags.root ? *flags.root : default_root(app)),
          .cgroups = flags.systemd_cgroup ? runner::CgroupManager::systemd : flags.cgroups,
          .warn = [](const std::string& text) {
            write_message(str("lade: warning: ", printable(text), '\n'));
          }};
}

void declare(OptionSet& options, OciBundleArguments& arguments) {
  options.argument("ID", arguments.id);
  options.value("-b,--bundle", arguments.bundle);
  options.value("-f,--config", arguments.config);
  options.value("--pid-file", arguments.pid_file);
  options.value("--console-socket", arguments.console_socket);
  options.number("--preserve-fds", arguments.preserved_fds, {0, 1024});
  // pivot_root is always used, no matter what lies below; there is no keyring to be kept.
  options.granted("--no-pivot");
  options.granted("--no-new-keyring");
}

runner::NewContainer new_container(const App& app, const OciBundleArguments& arguments) {
  return {.id = arguments.id,
          .bundle = arguments.bundle,
          .config = arguments.config,
          .pid_file = arguments.pid_file,
          .console_socket = arguments.console_socket,
          .preserved_fds = arguments.preserved_fds + listened_fds(app)};
}

}  // namespace lade::cli
