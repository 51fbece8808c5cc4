#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "cli/oci_runtime.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"
#include "oci/runtime_spec_json.hpp"

#include <fcntl.h>

namespace lade::cli {

namespace {

constexpr std::size_t k_resources_cap = 1024 * 1024;

std::string read_resources(const std::string& file) {
  if (file != "-") return read_file(file, k_resources_cap);
  return read_whole(open_file("/dev/stdin", O_RDONLY), k_resources_cap, "standard input");
}

template <class Number>
void take_number(OptionSet& options, const std::string& name, std::optional<Number>& into) {
  options.value(name, [&into, name](const std::string& text) {
    into = parse_number<Number>(text);
    if (!into) throw UsageError(str("option ", quoted(name), ": ", quoted(text), " is no number"));
  });
}

}  // namespace

void declare_options(OptionSet& options, OciUpdateArguments& update) {
  SpecResources& resources = update.resources;
  options.argument("ID", update.id);
  options.value("-r,--resources", update.file);
  options.limit("--memory", resources.memory.limit);
  options.limit("--memory-reservation", resources.memory.reservation);
  options.limit("--memory-swap", resources.memory.swap);
  take_number(options, "--cpu-share", resources.cpu.shares);
  take_number(options, "--cpu-quota", resources.cpu.quota);
  take_number(options, "--cpu-period", resources.cpu.period);
  take_number(options, "--cpu-burst", resources.cpu.burst);
  take_number(options, "--cpu-idle", resources.cpu.idle);
  take_number(options, "--cpu-rt-period", resources.cpu.realtime_period);
  take_number(options, "--cpu-rt-runtime", resources.cpu.realtime_runtime);
  options.value("--cpuset-cpus", resources.cpu.cpus);
  options.value("--cpuset-mems", resources.cpu.mems);
  take_number(options, "--blkio-weight", resources.block_io.weight);
  take_number(options, "--pids-limit", resources.pids_limit);
}

int run_verb(const App& app, const OciUpdateArguments& arguments) {
  const SpecResources resources = arguments.file
                                      ? parse_runtime_resources(read_resources(*arguments.file))
                                      : arguments.resources;
  runner::update_container(open_runtime(app), arguments.id, resources);
  return exit_code::done;
}

}  // namespace lade::cli
