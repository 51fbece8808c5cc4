#include "cli/oci_runtime.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/report.hpp"
#include "runner/explain/bundle.hpp"

namespace lade::cli {

void declare_options(OptionSet& options, OciCreateArguments& create) {
  declare(options, create.container);
}

int run_verb(const App& app, const OciCreateArguments& arguments) {
  runner::create_container(open_runtime(app), new_container(app, arguments.container));
  return exit_code::done;
}

void declare_options(OptionSet& options, OciStartArguments& start) {
  options.argument("ID", start.id);
}

int run_verb(const App& app, const OciStartArguments& arguments) {
  runner::start_container(open_runtime(app), arguments.id);
  return exit_code::done;
}

void declare_options(OptionSet& options, OciRunArguments& run) {
  declare(options, run.container);
  options.flag("-d,--detach", run.detach);
  options.flag("--keep", run.keep);
  options.flag("--explain", run.explain);
}

int run_verb(const App& app, const OciRunArguments& arguments) {
  if (arguments.explain) {
    const RuntimeFlags& flags = app.global.runtime;
    write_result(runner::explain_bundle(
        new_container(app, arguments.container),
        flags.systemd_cgroup ? runner::CgroupManager::systemd : flags.cgroups));
    return exit_code::done;
  }
  const runner::Runtime runtime = open_runtime(app);
  const runner::NewContainer container = new_container(app, arguments.container);
  if (arguments.detach) {
    runner::run_detached(runtime, container);
    return exit_code::done;
  }
  return runner::run_container(runtime, container,
                               arguments.keep ? runner::AfterRun::kept : runner::AfterRun::removed);
}

}  // namespace lade::cli
