#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/oci_runtime.hpp"
#include "cli/oci_statistics.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/report.hpp"
#include "oci/json_writer.hpp"
#include "runner/container_cgroup.hpp"

#include <poll.h>

#include <algorithm>
#include <chrono>

namespace lade::cli {

namespace {

using Clock = std::chrono::steady_clock;

/// `5s`, `1m`, `500ms`, or seconds.
std::chrono::milliseconds parse_interval(std::string_view text) {
  std::int64_t unit = 1000;
  for (const auto& [suffix, size] :
       {std::pair<std::string_view, std::int64_t>{"ms", 1}, {"s", 1000}, {"m", 60'000}}) {
    if (!text.ends_with(suffix)) continue;
    text.remove_suffix(suffix.size());
    unit = size;
    break;
  }
  const auto count = parse_number<std::int64_t>(text);
  constexpr std::int64_t most = 24 * 3600 * 1000;
  if (!count || *count <= 0 || *count > most / unit) {
    throw UsageError(str("option `--interval`: ", quoted(text), " is no time"));
  }
  return std::chrono::milliseconds(*count * unit);
}

void write_event(std::string_view type, const std::string& id, std::string_view data) {
  JsonWriter json;
  json.begin_object().member("type", type).member("id", id);
  if (!data.empty()) json.name("data").raw(data);
  json.end_object();
  write_result(json.take() + '\n');
}

void write_statistics(const runner::Cgroup& cgroup, const std::string& id) {
  write_event("stats", id, statistics_json(runner::read_statistics(cgroup)));
}

/// Statistics every `interval`, and each time that the memory did not suffice, until the container
/// is no more.
void watch(const runner::ContainerHome& home, const runner::ContainerState& state,
           const runner::Cgroup& cgroup, std::chrono::milliseconds interval) {
  runner::OomWatch oom(cgroup);
  auto next = Clock::now();
  while (runner::status_of(home, state) != runner::ContainerStatus::stopped) {
    if (Clock::now() >= next) {
      write_statistics(cgroup, state.id);
      next += interval;
    }
    // A container's end wakes nobody up here: it is looked for at least once a second.
    constexpr std::chrono::milliseconds longest{1000};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
    pollfd watched{oom.fd().get(), POLLIN, 0};
    ::poll(&watched, 1, static_cast<int>(std::clamp(left, {}, longest).count()));
    const auto kills = oom.take();
    if (!kills) return;
    for (std::uint64_t i = 0; i < *kills; ++i) write_event("oom", state.id, {});
  }
}

}  // namespace

void declare_options(OptionSet& options, OciEventsArguments& events) {
  options.argument("ID", events.id);
  options.flag("--stats", events.stats);
  options.value("--interval",
                [&events](const std::string& text) { events.interval = parse_interval(text); });
}

int run_verb(const App& app, const OciEventsArguments& arguments) {
  const runner::Runtime runtime = open_runtime(app);
  const runner::ContainerHome home = runtime.root.get(arguments.id);
  const runner::ContainerState state = home.get_state();
  if (runner::status_of(home, state) == runner::ContainerStatus::stopped) {
    throw Error(str("watch container ", quoted(arguments.id), ": it is stopped"));
  }
  if (state.cgroup.empty()) {
    throw Error(str("watch container ", quoted(arguments.id), ": it has no cgroup"));
  }
  const runner::Cgroup cgroup = runner::open_container_cgroup(state);
  if (arguments.stats) {
    write_statistics(cgroup, state.id);
  } else {
    watch(home, state, cgroup, arguments.interval);
  }
  return exit_code::done;
}

}  // namespace lade::cli
