#include "base/error.hpp"
#include "base/process.hpp"
#include "base/text.hpp"
#include "cli/oci_runtime.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/report.hpp"
#include "cli/table.hpp"
#include "cli/verb_options.hpp"
#include "oci/json_writer.hpp"

#include <algorithm>

namespace lade::cli {

namespace {

/// A container as `list` shows it.
struct Listed {
  runner::ContainerState state;
  runner::ContainerStatus status;

  std::uint64_t pid() const {
    const bool is_gone = status == runner::ContainerStatus::stopped;
    return is_gone ? 0 : static_cast<std::uint64_t>(state.init.pid);
  }
};

std::vector<Listed> list_containers(const runner::Runtime& runtime) {
  std::vector<Listed> listed;
  for (const std::string& id : runtime.root.ids()) {
    const auto home = runtime.root.find(id);
    auto state = home ? home->find_state() : std::nullopt;
    if (!state) continue;  // It is being made, or removed, now.
    const runner::ContainerStatus status = runner::status_of(*home, *state);
    listed.push_back({*std::move(state), status});
  }
  return listed;
}

std::string json_of(const std::vector<Listed>& containers) {
  JsonWriter json;
  json.begin_array();
  for (const Listed& each : containers) {
    json.raw(runner::long_state_document(each.state, each.status));
  }
  json.end_array();
  return json.take() + '\n';
}

/// The lines of a ps(1) output that are about `pids`: the header and those whose PID column says
/// so.
std::string lines_about(const std::vector<pid_t>& pids, const std::string& output) {
  std::string text;
  std::size_t column = std::string::npos;
  for (const std::string& line : split(output, '\n')) {
    std::vector<std::string> words = split(line, ' ');
    std::erase(words, "");
    if (column == std::string::npos) {
      const auto found = std::find(words.begin(), words.end(), "PID");
      if (found == words.end()) throw Error("run `ps`: its output has no PID column");
      column = static_cast<std::size_t>(found - words.begin());
      text += line + '\n';
      continue;
    }
    const auto pid = column < words.size() ? parse_number<pid_t>(words[column]) : std::nullopt;
    if (pid && std::find(pids.begin(), pids.end(), *pid) != pids.end()) text += line + '\n';
  }
  return text;
}

}  // namespace

void declare_options(OptionSet& options, OciStateArguments& state) {
  options.argument("ID", state.id);
}

int run_verb(const App& app, const OciStateArguments& arguments) {
  const runner::Runtime runtime = open_runtime(app);
  const runner::ContainerHome home = runtime.root.get(arguments.id);
  const runner::ContainerState state = home.get_state();
  const std::string document = runner::long_state_document(state, runner::status_of(home, state));
  write_result(indented_json(document, "  ") + '\n');
  return exit_code::done;
}

void declare_options(OptionSet& options, OciListArguments& list) {
  declare_format(options, list.format);
  options.flag("-q,--quiet", list.quiet);
}

int run_verb(const App& app, const OciListArguments& arguments) {
  const std::vector<Listed> containers = list_containers(open_runtime(app));
  if (arguments.quiet) {
    std::string text;
    for (const Listed& each : containers) text += each.state.id + '\n';
    write_result(text);
  } else if (arguments.format == OutputFormat::json) {
    write_result(json_of(containers));
  } else {
    std::vector<Row> rows{{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
    for (const Listed& each : containers) {
      rows.push_back({each.state.id, str(each.pid()), std::string(runner::name_of(each.status)),
                      each.state.bundle, each.state.created, each.state.owner});
    }
    write_result(table_text(rows));
  }
  return exit_code::done;
}

void declare_options(OptionSet& options, OciPsArguments& ps) {
  options.rest(ps.options);
  declare_format(options, ps.format);
  options.check([&] {
    if (ps.options.empty()) throw UsageError("no container given");
    ps.id = ps.options.front();
    ps.options.erase(ps.options.begin());
  });
}

int run_verb(const App& app, const OciPsArguments& arguments) {
  const std::vector<pid_t> pids = runner::processes_of(open_runtime(app), arguments.id);
  if (arguments.format == OutputFormat::json) {
    JsonWriter json;
    json.begin_array();
    for (const pid_t pid : pids) json.number(static_cast<std::uint64_t>(pid));
    json.end_array();
    write_result(json.take() + '\n');
    return exit_code::done;
  }
  const auto ps = find_program(app.environment.search_path, "ps");
  if (!ps) throw NotFound("program `ps` is not in PATH; --format json needs none");
  ProgramCall call;
  call.path = *ps;
  call.arguments = arguments.options;
  if (call.arguments.empty()) call.arguments = {"-ef"};
  call.environment = app.environment.variables;
  const ProgramResult result = call_program(call);
  if (result.exit_code != 0) throw Error(str("run `ps`: ", printable(trim(result.errors))));
  write_result(lines_about(pids, result.output));
  return exit_code::done;
}

}  // namespace lade::cli
