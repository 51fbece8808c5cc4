#include "base/error.hpp"
#include "base/fd.hpp"
#include "runner/explain/explain.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <utility>

namespace lade::runner {

ExplainFacts find_explain_facts(const Plan& plan, Stdin stdin_mode) {
  ExplainFacts facts;
  facts.stdin_mode = stdin_mode;
  std::array<char, PATH_MAX> directory{};
  if (::getcwd(directory.data(), directory.size()) == nullptr) {
    throw SystemError(errno, "find the current directory");
  }
  facts.directory = directory.data();
  for (const Step& step : plan.steps) {
    if (std::holds_alternative<step::MountCgroups>(step)) facts.cgroups = find_cgroup_mounts();
    const auto* root = std::get_if<step::AttachRoot>(&step);
    const auto* overlay = root == nullptr ? nullptr : std::get_if<OverlayConfig>(&root->source);
    if (overlay == nullptr || overlay->upper.empty()) continue;
    const struct stat st = stat_of(open_file(overlay->upper, O_PATH | O_DIRECTORY), overlay->upper);
    facts.upper_mode = st.st_mode & 07777;
    facts.upper_uid = st.st_uid;
    facts.upper_gid = st.st_gid;
  }
  return facts;
}

ExplainedCgroup find_explained_cgroup(const SpecResources& resources, std::string path) {
  ExplainedCgroup cgroup;
  cgroup.path = std::move(path);
  cgroup.host = find_cgroup_host();
  cgroup.enable = controllers_to_enable(resources, cgroup.host);
  cgroup.change = convert_resources(resources, cgroup.host);
  cgroup.devices = resources.devices;
  return cgroup;
}

}  // namespace lade::runner
