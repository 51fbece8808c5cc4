#include "runner/explain/process.hpp"

#include "base/text.hpp"
#include "runner/explain/shell.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace lade::runner {

namespace {

/// As setpriv calls them: `kill` for `CAP_KILL`.
std::vector<std::string> short_names(const std::vector<std::string>& capabilities) {
  std::vector<std::string> names;
  for (const std::string& each : capabilities) {
    std::string name = ascii_lower(each);
    if (name.starts_with("cap_")) name.erase(0, 4);
    names.push_back(std::move(name));
  }
  return names;
}

/// Only what the process has already can be granted, which this host decides.
std::string grants(std::string_view option, const std::vector<std::string>& capabilities) {
  if (capabilities.empty()) return str(' ', option, "=-all");
  return str(' ', option, "=\"-all$(grantable ", shell_words(short_names(capabilities)), ")\"");
}

std::string limit_text(std::uint64_t value) {
  return value == UINT64_MAX ? "unlimited" : str(value);
}

}  // namespace

std::string setpriv_capabilities(const SpecCapabilities& capabilities) {
  std::string bounding = "-all";
  for (const std::string& name : short_names(capabilities.bounding)) bounding += str(",+", name);
  const auto holds = [](const std::vector<std::string>& set, const std::string& name) {
    return std::find(set.begin(), set.end(), name) != set.end();
  };
  std::vector<std::string> inheritable = capabilities.inheritable;
  std::erase_if(inheritable,
                [&](const std::string& name) { return !holds(capabilities.bounding, name); });
  std::vector<std::string> ambient = capabilities.ambient;
  std::erase_if(ambient, [&](const std::string& name) {
    return !holds(inheritable, name) || !holds(capabilities.permitted, name);
  });
  return str(" --bounding-set=", shell_word(bounding), grants("--inh-caps", inheritable),
             grants("--ambient-caps", ambient));
}

std::string prlimit_name(const SpecRlimit& limit) {
  std::string name = ascii_lower(limit.type);
  if (name.starts_with("rlimit_")) name.erase(0, 7);
  return name;
}

std::string prlimit_hard(const SpecRlimit& limit) {
  return limit_text(limit.hard);
}

std::string prlimit_word(const SpecRlimit& limit) {
  return shell_word(
      str("--", prlimit_name(limit), '=', limit_text(limit.soft), ':', limit_text(limit.hard)));
}

std::string scheduler_lines(const SpecScheduler& scheduler) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> policies{{
      {"SCHED_OTHER", "--other"},
      {"SCHED_FIFO", "--fifo"},
      {"SCHED_RR", "--rr"},
      {"SCHED_BATCH", "--batch"},
      {"SCHED_IDLE", "--idle"},
      {"SCHED_DEADLINE", "--deadline"},
  }};
  const auto* policy = std::find_if(policies.begin(), policies.end(), [&](const auto& each) {
    return each.first == scheduler.policy;
  });
  if (policy == policies.end()) {
    return shell_comment(str("not here: chrt does not know ", scheduler.policy));
  }
  std::string text;
  std::string words = str("chrt ", policy->second);
  for (const std::string& flag : scheduler.flags) {
    if (flag == "SCHED_FLAG_RESET_ON_FORK") {
      words += " --reset-on-fork";
    } else {
      text += shell_comment(str("not here: chrt does not know ", flag));
    }
  }
  if (scheduler.runtime) words += str(" --sched-runtime ", *scheduler.runtime);
  if (scheduler.deadline) words += str(" --sched-deadline ", *scheduler.deadline);
  if (scheduler.period) words += str(" --sched-period ", *scheduler.period);
  text += str(words, " --pid ", scheduler.priority.value_or(0), " \"$pid\"\n");
  if (scheduler.nice) text += str("renice -n ", *scheduler.nice, " -p \"$pid\" >/dev/null\n");
  return text;
}

std::string io_priority_line(const SpecIoPriority& priority) {
  std::string_view name = "best-effort";
  if (priority.class_name == "IOPRIO_CLASS_RT") name = "realtime";
  if (priority.class_name == "IOPRIO_CLASS_IDLE") return "ionice --class idle --pid \"$pid\"\n";
  return str("ionice --class ", name, " --classdata ", priority.priority, " --pid \"$pid\"\n");
}

}  // namespace lade::runner
