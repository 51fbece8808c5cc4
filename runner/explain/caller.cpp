#include "runner/explain/caller.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/explain/process.hpp"
#include "runner/explain/shell.hpp"

#include <algorithm>
#include <array>

namespace lade::runner {

namespace {

/// What unshare(1) and nsenter(1) call each kind of namespace, by the order of NamespaceKind.
constexpr std::array<std::string_view, k_namespace_names.size()> k_options{
    "--pid", "--net", "--mount", "--ipc", "--uts", "--cgroup", "--user", "--time"};

bool holds(const std::vector<NamespaceKind>& kinds, NamespaceKind kind) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

std::string raised_limits(const Plan& plan) {
  if (plan.rlimits.empty()) return {};
  std::string text = "\n# hard limits that must be raised, while there is the privilege for it\n";
  for (const SpecRlimit& limit : plan.rlimits) {
    const std::string name = shell_word(str("--", prlimit_name(limit)));
    const std::string hard = prlimit_hard(limit);
    const std::string is_lower = hard == "unlimited" ? "" : str(" && $now -lt ", hard);
    text += str("now=$(prlimit --pid \"$pid\" --raw --noheadings --output HARD ", name,
                ")\nif [[ $now != unlimited", is_lower, " ]]; then prlimit --pid \"$pid\" ", name,
                "=:", hard, "; fi\n");
  }
  return text;
}

std::string device_lines(const SpecNetDevice& device) {
  const std::string host = shell_word(device.host_name);
  const std::string name = device.name.empty() ? host : shell_word(device.name);
  return str("\n# network device, which loses its addresses on the way\n",
             "addresses=$(ip -o address show dev ", host, " scope global permanent)\n",
             "ip link set dev ", host, " netns \"$pid\" name ", name, '\n',
             "while read -r _ _ _ address _; do\n  if [[ -n $address ]]; then nsenter --target "
             "\"$pid\" --net ip address add \"$address\" dev ",
             name, "; fi\ndone <<<\"$addresses\"\n",
             "nsenter --target \"$pid\" --net ip link set dev ", name, " up\n");
}

}  // namespace

void refuse_to_explain(std::string_view why) {
  throw UsageError(str("--explain: ", why));
}

std::string_view namespace_option(NamespaceKind kind) {
  return k_options.at(static_cast<std::size_t>(kind));
}

bool has_user_namespace(const Plan& plan) {
  return holds(plan.namespaces, NamespaceKind::user) ||
         std::any_of(plan.joined.begin(), plan.joined.end(),
                     [](const SpecNamespace& each) { return each.kind == NamespaceKind::user; });
}

std::string entrance_words(const Plan& plan, std::vector<std::string>& missing) {
  std::string words;
  for (const SpecNamespace& each : plan.joined) {
    if (each.kind == NamespaceKind::mount) {
      refuse_to_explain(
          "a container in a mount namespace that is there already has none of the host's "
          "programs");
    }
    if (words.empty()) words = "nsenter --preserve-credentials";
    words += str(' ', namespace_option(each.kind), '=', shell_word(each.path));
  }
  words += str(words.empty() ? "" : " ", "unshare");
  for (const NamespaceKind kind : plan.namespaces) words += str(' ', namespace_option(kind));
  if (holds(plan.namespaces, NamespaceKind::mount)) words += " --propagation unchanged";
  if (holds(plan.namespaces, NamespaceKind::user)) words += " --keep-caps";
  for (const SpecTimeOffset& each : plan.time_offsets) {
    words += str(" --", each.clock, ' ', each.seconds);
    if (each.nanoseconds == 0) continue;
    missing.push_back(
        str("clone: ", each.nanoseconds, " ns of ", each.clock, ": unshare counts whole seconds"));
  }
  return words + " --fork --kill-child";
}

std::string duty_lines(const Plan& plan, const ExplainFacts& facts,
                       std::vector<std::string>& missing) {
  std::string text;
  const auto map = [&](std::string_view file, const std::vector<SpecIdMapping>& mappings) {
    std::string lines;
    for (const SpecIdMapping& each : mappings) {
      lines += str(each.container, ' ', each.host, ' ', each.size, '\n');
    }
    // In one write, as the kernel wants it.
    if (!lines.empty())
      text += str("printf %s ", shell_word(lines), " >\"/proc/$pid/", file, "\"\n");
  };
  if (facts.cgroup) text += str("\n# cgroup\n", cgroup_lines(*facts.cgroup, missing));
  if (!plan.uid_mappings.empty()) text += "\n# the ids of the user namespace\n";
  map("uid_map", plan.uid_mappings);
  map("gid_map", plan.gid_mappings);
  text += raised_limits(plan);
  if (plan.oom_score_adj) {
    text += str("\n# OOM score\necho ", *plan.oom_score_adj, " >\"/proc/$pid/oom_score_adj\"\n");
  }
  for (const std::string& cpus : {plan.initial_cpus, plan.final_cpus}) {
    if (cpus.empty()) continue;
    text += str("\n# processors\ntaskset --all-tasks --pid --cpu-list ", shell_word(cpus),
                " \"$pid\" >/dev/null\n");
  }
  for (const SpecNetDevice& device : plan.net_devices) text += device_lines(device);
  return text;
}

}  // namespace lade::runner
