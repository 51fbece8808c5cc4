#include "runner/explain/cgroup.hpp"

#include "base/text.hpp"
#include "runner/cgroups/device_rules.hpp"
#include "runner/explain/shell.hpp"

#include <algorithm>
#include <optional>

namespace lade::runner {

namespace {

bool serves(const CgroupHost& host, const CgroupHierarchy& hierarchy,
            const CgroupSetting& setting) {
  const CgroupHierarchy* server = setting.controller == "cgroup"
                                      ? host.find_unified()
                                      : host.find_controller(setting.controller);
  return server == &hierarchy;
}

/// The controllers of version 2 that the cgroups on the way down let it have.
std::string enabling_lines(const ExplainedCgroup& cgroup, const CgroupHierarchy& hierarchy) {
  if (hierarchy.version != 2 || cgroup.enable.empty()) return {};
  return str(" +", join(cgroup.enable, " +"));
}

std::string setting_line(const CgroupSetting& setting) {
  std::vector<std::string> words{"limit"};
  for (const CgroupSetting::Place& place : setting.places) {
    words.push_back(place.file);
    words.push_back(place.value);
  }
  return shell_words(words);
}

std::string setting_lines(const ExplainedCgroup& cgroup, const CgroupHierarchy& hierarchy,
                          std::vector<std::string>& missing) {
  std::string text;
  std::string again;
  for (const CgroupSetting& setting : cgroup.change.settings) {
    if (!serves(cgroup.host, hierarchy, setting)) continue;
    if (setting.reach == CgroupSetting::Reach::ancestors_first) {
      missing.push_back(str("cgroup: ", setting.property, " of the cgroups above it"));
    }
    const std::string line = setting_line(setting);
    const bool may_fail = setting.turn == CgroupSetting::Turn::again_if_invalid;
    text += str(line, may_fail ? " 2>/dev/null || true" : "", '\n');
    if (may_fail) again += line + '\n';
  }
  return text + again;
}

std::string device_rule_lines(const ExplainedCgroup& cgroup, const CgroupHierarchy& hierarchy,
                              std::vector<std::string>& missing) {
  if (cgroup.devices.empty()) return {};
  const CgroupHierarchy* devices = cgroup.host.find_controller("devices");
  const auto lines = devices == nullptr || devices->version != 1
                         ? std::nullopt
                         : device_lines(make_device_policy(cgroup.devices));
  if (!lines) {
    if (hierarchy.version == 2) {
      missing.emplace_back("cgroup: its devices, which take a program in the kernel");
    }
    return {};
  }
  if (devices != &hierarchy) return {};
  std::string text;
  for (const DeviceLine& line : *lines) {
    text += str("echo ", shell_word(line.text), " >\"$cgroup/",
                line.allow ? "devices.allow" : "devices.deny", "\"\n");
  }
  return text;
}

}  // namespace

std::string cgroup_lines(const ExplainedCgroup& cgroup, std::vector<std::string>& missing) {
  std::string text;
  for (const CgroupHierarchy& hierarchy : cgroup.host.hierarchies) {
    text += str("make_cgroup ", shell_word(hierarchy.mount_point), ' ', shell_word(cgroup.path),
                enabling_lines(cgroup, hierarchy), '\n', setting_lines(cgroup, hierarchy, missing),
                device_rule_lines(cgroup, hierarchy, missing),
                "echo \"$pid\" >\"$cgroup/cgroup.procs\"\n");
  }
  return text;
}

}  // namespace lade::runner
