#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/child_process.hpp"
#include "cli/connection.hpp"
#include "cli/output.hpp"
#include "cli/policy.hpp"
#include "cli/progress.hpp"
#include "cli/pull_image.hpp"
#include "cli/report.hpp"
#include "cli/store_access.hpp"
#include "cli/trace_table.hpp"
#include "cli/transfer.hpp"
#include "cli/verb_options.hpp"
#include "oci/new_image.hpp"
#include "runner/explain/explain.hpp"
#include "runner/launch.hpp"
#include "runner/make_spec.hpp"
#include "runner/trace.hpp"
#include "snapshot/container.hpp"
#include "snapshot/probe.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <variant>

namespace lade::cli {

namespace {

/// A new container's id: 64 hex digits.
std::string random_id() {
  std::array<char, 32> bytes{};
  check_syscall(::getrandom(bytes.data(), bytes.size(), 0),
                [] { return std::string("get random bytes"); });
  return to_hex({bytes.data(), bytes.size()});
}

std::string current_directory() {
  std::array<char, 4096> buffer{};
  if (::getcwd(buffer.data(), buffer.size()) == nullptr) return "/";
  return buffer.data();
}

/// A file of the host that a container on its network sees a copy of; empty if it cannot be had.
std::string host_file(const std::string& path) {
  try {
    return read_file(path, 1024 * 1024);
  } catch (const Error&) {
    return {};
  }
}

/// The options for the runner; every mistake in the arguments is found here, before anything is
/// pulled or made.
runner::RunOptions run_options(const App& app, const RunArguments& arguments) {
  runner::RunOptions options;
  options.container_id = random_id();
  options.args = arguments.command;
  for (const std::string& text : arguments.env) {
    options.env.push_back(runner::parse_env_setting(text));
  }
  options.host_env = app.environment.variables;
  options.workdir = arguments.workdir;
  options.user = arguments.user;
  if (arguments.entrypoint) options.entrypoint = runner::parse_entrypoint(*arguments.entrypoint);
  options.hostname = arguments.hostname;
  for (const std::string& text : arguments.volumes) {
    options.volumes.push_back(runner::parse_volume(text));
  }
  options.host_directory = current_directory();
  options.network = runner::parse_network(arguments.network);
  if (options.network == runner::NetworkMode::host) {
    options.host_hosts = host_file("/etc/hosts");
    options.host_resolv_conf = host_file("/etc/resolv.conf");
  }
  options.terminal = arguments.terminal ? runner::Terminal::yes : runner::Terminal::no;
  return options;
}

/// The pull before a run, in the child process: reports its own failure.
int pull_reporting(const App& app, const RunArguments& arguments) {
  try {
    const InterruptWatch interrupt;
    const auto observer = make_progress(app.global.progress);
    const Job job{interrupt.stop(), *observer};
    store::Store store = open_store(app);
    const registry::RetryPolicy retry = retry_policy(arguments.transfer, *observer);
    const auto limiter = make_rate_limiter(arguments.transfer);
    const RegistryAccess registries(app, arguments.registry, job, retry);
    const auto policy = make_policy_check(app, interrupt.stop());
    pull_image(store, arguments.image,
               {registries, *policy, chosen_platform(arguments.platform), retry, limiter.get()},
               job);
    return exit_code::done;
  } catch (...) {
    const Detail detail = app.global.debug ? Detail::contexts : Detail::one_line;
    const Report report = describe(std::current_exception(), "run", detail);
    write_message(report.text);
    return report.exit_code;
  }
}

/// Whether no container is run.
bool only_prints(const RunArguments& arguments) {
  return arguments.dry_run || arguments.explain;
}

/// What is printed instead: the plan, or a script that follows it.
std::string explanation(const runner::Plan& plan, const RunArguments& arguments) {
  if (!arguments.explain) return runner::dump(plan);
  const auto input = arguments.interactive ? runner::Stdin::open : runner::Stdin::closed;
  return runner::explain(plan, runner::find_explain_facts(plan, input));
}

NotFound missing_image(const std::string& name) {
  NotFound error(str("image ", quoted(name), " is not in the store"));
  error.set_hint(str("`lade pull ", printable(name), "` fetches it"));
  return error;
}

/// The image to run, pulled if need be; an exit code if that pull, in its own process, was in vain.
std::variant<store::StoredImage, int> obtain_image(const App& app, const store::Store& store,
                                                   const RunArguments& arguments) {
  if (arguments.pull != PullPolicy::always) {
    if (auto image = find_image(app, store, arguments.image)) return *std::move(image);
    if (arguments.pull == PullPolicy::never || only_prints(arguments)) {
      throw missing_image(arguments.image);
    }
  }
  const int code = run_in_child([&] { return pull_reporting(app, arguments); });
  if (code != exit_code::done) return code;
  if (auto image = find_image(app, store, arguments.image)) return *std::move(image);
  throw missing_image(arguments.image);
}

/// `--cidfile`: the id alone, in a file that was not there.
void write_new_file(const std::string& path, const std::string& text) {
  const Fd file = open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
  write_all(file, as_bytes(text), path);
}

/// Where overlay cannot work, the container has a copy of all of its image; that is said.
runner::RootfsSource root_of(const store::Store& store,
                             const snapshot::ContainerDirectory& container, const App& app) {
  if (container.copied_root().empty()) return container.overlay();
  make_progress(app.global.progress)->note(NoteLevel::info, snapshot::copy_note(store));
  return runner::RootDirectory{container.copied_root()};
}

/// What follows `run`'s own options: the image and its command.
void take_image_and_command(RunArguments& run) {
  std::vector<std::string>& words = run.command;
  if (!words.empty() && words.front() == "--") {
    words.erase(words.begin());
  } else if (!words.empty() && words.front().starts_with('-')) {
    throw UsageError(str("unknown option ", quoted(words.front())));
  }
  if (words.empty()) throw UsageError("no image given");
  run.image = words.front();
  words.erase(words.begin());
}

}  // namespace

void declare_options(OptionSet& options, RunArguments& run) {
  options.rest(run.command);
  options.flag("--rm", run.remove);
  options.value("--name", run.name);
  options.value("--cidfile", run.id_file);
  options.flag("--dry-run", run.dry_run);
  options.flag("--explain", run.explain);
  options.flag("--trace", run.trace);
  options.flag("-i,--interactive", run.interactive);
  options.flag("-t,--tty", run.terminal);
  options.value("-e,--env", run.env);
  options.value("-w,--workdir", run.workdir);
  options.value("-u,--user", run.user);
  options.value("--entrypoint", run.entrypoint);
  // podman's -h is the host name, so that --help has no short form here.
  options.value("-h,--hostname", run.hostname);
  options.value("-v,--volume", run.volumes);
  options.value("--network,--net", run.network);
  options.value("--platform", run.platform);
  options.choice("--pull", run.pull,
                 {{"missing", PullPolicy::missing},
                  {"always", PullPolicy::always},
                  {"never", PullPolicy::never}});
  declare(options, run.registry);
  declare(options, run.transfer);
  options.check([&] { take_image_and_command(run); });
}

int run_verb(const App& app, const RunArguments& arguments) {
  std::optional<runner::Trace> trace;
  if (arguments.trace) trace.emplace();
  const auto note = [&](std::string_view what) {
    if (trace) trace->note(runner::TraceSide::lade, what);
  };
  const runner::RunOptions options = run_options(app, arguments);
  store::Store store = open_store(app);
  note("open the store");
  const auto obtained = obtain_image(app, store, arguments);
  if (const int* code = std::get_if<int>(&obtained)) return *code;
  const auto& image = std::get<store::StoredImage>(obtained);
  note("find the image");

  ImageConfig config = parse_image_config(store.read_config(image));
  const Spec spec = runner::make_spec(config, options);
  note("make the specification");
  const bool keep = !arguments.remove && !only_prints(arguments);
  auto container = snapshot::ContainerDirectory::create(
      store, image, options.container_id,
      keep ? snapshot::Lifetime::kept : snapshot::Lifetime::ephemeral, arguments.name);
  note("make the container's directory");
  const runner::Plan plan = runner::make_plan(spec, root_of(store, container, app));
  note("make the plan");
  if (only_prints(arguments)) {
    if (arguments.explain && !container.copied_root().empty()) {
      throw UsageError("--explain: a container here has a copy of its image, which goes with it");
    }
    write_result(explanation(plan, arguments));
    return exit_code::done;
  }

  if (keep) {
    config.process = runner::committed_process(config.process, options);
    container.directory().write_file(snapshot::k_container_config, write_image_config(config),
                                     0600);
  }
  if (arguments.id_file) write_new_file(*arguments.id_file, options.container_id);
  store.let_go_of_index();  // a container may run for days
  const auto observer = make_progress(ProgressStyle::none);
  const auto input = arguments.interactive ? runner::Stdin::open : runner::Stdin::closed;
  runner::RunDuties duties;
  if (trace) duties.start.trace = &*trace;
  duties.start.warn = [&](const std::string& text) { observer->note(NoteLevel::warning, text); };
  const runner::ExitStatus status = runner::run(plan, {.stdin_mode = input}, std::move(duties));
  note("until the container's end");
  if (!keep) container.remove();
  if (trace) {
    note("remove the container's directory");
    write_message(trace_text(trace->notes()));
  }
  return status.code;
}

}  // namespace lade::cli
