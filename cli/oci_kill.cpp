#include "base/error.hpp"
#include "base/signal_names.hpp"
#include "base/text.hpp"
#include "cli/oci_runtime.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"

namespace lade::cli {

void declare_options(OptionSet& options, OciKillArguments& kill) {
  options.argument("ID", kill.id);
  options.optional_argument(kill.signal);
  options.flag("-a,--all", kill.all);
}

int run_verb(const App& app, const OciKillArguments& arguments) {
  const auto signal = find_signal(arguments.signal);
  if (!signal) throw UsageError(str("unknown signal ", quoted(arguments.signal)));
  runner::kill_container(
      open_runtime(app), arguments.id, *signal,
      arguments.all ? runner::Recipients::all : runner::Recipients::first_process);
  return exit_code::done;
}

void declare_options(OptionSet& options, OciDeleteArguments& remove) {
  options.arguments(remove.ids);
  options.flag("-f,--force", remove.force);
  options.check([&] {
    if (remove.ids.empty()) throw UsageError("no container given");
  });
}

int run_verb(const App& app, const OciDeleteArguments& arguments) {
  const runner::Runtime runtime = open_runtime(app);
  for (const std::string& id : arguments.ids) {
    runner::delete_container(
        runtime, id, arguments.force ? runner::DeleteLiving::kills : runner::DeleteLiving::refuses);
  }
  return exit_code::done;
}

void declare_options(OptionSet& options, OciPauseArguments& pause) {
  options.argument("ID", pause.id);
}

int run_verb(const App& app, const OciPauseArguments& arguments) {
  runner::pause_container(open_runtime(app), arguments.id);
  return exit_code::done;
}

void declare_options(OptionSet& options, OciResumeArguments& resume) {
  options.argument("ID", resume.id);
}

int run_verb(const App& app, const OciResumeArguments& arguments) {
  runner::resume_container(open_runtime(app), arguments.id);
  return exit_code::done;
}

}  // namespace lade::cli
