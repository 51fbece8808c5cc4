#include "runner/mount_cgroups.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/mount_calls.hpp"
#include "runner/proc_files.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace lade::runner {

std::string cgroup_in(const CgroupHierarchy& hierarchy, std::string_view self_cgroup) {
  std::vector<std::string> wanted;
  if (hierarchy.version == 1) wanted = hierarchy.controllers;
  std::sort(wanted.begin(), wanted.end());
  for (const std::string& line : split(self_cgroup, '\n')) {
    // `4:cpu,cpuacct:/path`; of cgroup2 `0::/path`.
    const auto first = line.find(':');
    const auto second = line.find(':', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos) continue;
    const std::string list = line.substr(first + 1, second - first - 1);
    std::vector<std::string> controllers;
    if (!list.empty()) controllers = split(list, ',');
    std::sort(controllers.begin(), controllers.end());
    if (controllers == wanted) return line.substr(second + 1);
  }
  throw NotFound(str("the cgroup in ", quoted(hierarchy.name)));
}

namespace {

/// A hierarchy rooted where the container's cgroup namespace is.
Fd mount_hierarchy(const CgroupHierarchy& hierarchy, std::uint64_t attributes) {
  MountData options;
  for (const std::string& option : hierarchy.controllers) {
    if (hierarchy.version == 2) break;  // all that it has is one mount
    const auto equals = option.find('=');
    options.emplace_back(option.substr(0, equals),
                         equals == std::string::npos ? "" : option.substr(equals + 1));
  }
  return make_mount(hierarchy.version == 2 ? "cgroup2" : "cgroup", "cgroup", options, attributes);
}

/// The container's own directory of a hierarchy, which the host has mounted; its place in
/// mountinfo then agrees with /proc/self/cgroup.
Fd bind_own_cgroup(const CgroupHierarchy& hierarchy, const std::string& self_cgroup,
                   std::uint64_t attributes) {
  std::string below = cgroup_in(hierarchy, self_cgroup);
  // What is at the top of the host's mount may itself be a cgroup further down.
  if (hierarchy.root != "/" && below.starts_with(hierarchy.root)) {
    below.erase(0, hierarchy.root.size());
  }
  const std::string path = str(hierarchy.mount_point, '/', below);
  Fd mount = clone_mount(AT_FDCWD, path.c_str(), 0, path);
  set_flags(mount, {.attributes = attributes, .propagation = MS_PRIVATE}, path);
  return mount;
}

std::string read_own_cgroups(const Fd& proc) {
  constexpr std::size_t k_largest = 1024 * 1024;
  const Fd file = open_in_proc(proc, "self/cgroup", O_RDONLY);
  return read_whole(file, k_largest, "/proc/self/cgroup");
}

}  // namespace

void mount_cgroups(const Rootfs& root, const std::vector<CgroupHierarchy>& hierarchies,
                   const Fd& proc, const step::MountCgroups& step) {
  const std::uint64_t attributes = step.flags.attributes | step.flags.deep_attributes;
  const bool own = step.view == CgroupView::of_container;
  const std::string self_cgroup = own ? read_own_cgroups(proc) : std::string();
  const auto mount_one = [&](const CgroupHierarchy& hierarchy) {
    return own ? bind_own_cgroup(hierarchy, self_cgroup, attributes)
               : mount_hierarchy(hierarchy, attributes);
  };
  if (hierarchies.size() == 1 && hierarchies[0].name.empty()) {
    attach(root, mount_one(hierarchies[0]), step.target);
    return;
  }
  // The directory itself is made read-only last, when it is full.
  const Fd top = make_mount("tmpfs", "tmpfs", {{"mode", "755"}},
                            attributes & ~std::uint64_t{MOUNT_ATTR_RDONLY});
  attach(root, top, step.target);
  for (const CgroupHierarchy& hierarchy : hierarchies) {
    if (hierarchy.name.empty()) continue;
    attach(root, mount_one(hierarchy), str(step.target, '/', hierarchy.name));
    if (hierarchy.name.find(',') == std::string::npos) continue;
    for (const std::string& controller : split(hierarchy.name, ',')) {
      check_syscall(::symlinkat(hierarchy.name.c_str(), top.get(), controller.c_str()),
                    [&] { return str("link cgroup ", quoted(controller)); });
    }
  }
  set_flags(top, {.attributes = attributes & MOUNT_ATTR_RDONLY}, step.target);
}

}  // namespace lade::runner
