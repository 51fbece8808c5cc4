#include "runner/mount_cgroups.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/mount_calls.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace lade::runner {

namespace {

/// The field separators of mountinfo are escaped in its paths.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out +=
          static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0');
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// v1 superblock options that name what the hierarchy is, not how it behaves.
std::vector<std::string> controllers_in(const std::string& options) {
  std::vector<std::string> controllers;
  for (std::string& option : split(options, ',')) {
    const bool behaviour = option == "rw" || option == "ro" || option == "xattr" ||
                           option == "noprefix" || option == "clone_children" ||
                           option == "cpuset_v2_mode" || option == "favordynmods" ||
                           option.starts_with("release_agent=");
    if (!behaviour) controllers.push_back(std::move(option));
  }
  return controllers;
}

}  // namespace

std::vector<CgroupHierarchy> parse_cgroup_mounts(const std::string& mountinfo) {
  constexpr std::string_view place = "/sys/fs/cgroup";
  std::vector<CgroupHierarchy> found;
  for (const std::string& line : split(mountinfo, '\n')) {
    const auto dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    const auto before = split(std::string_view(line).substr(0, dash), ' ');
    const auto after = split(std::string_view(line).substr(dash + 3), ' ');
    if (before.size() < 6 || after.size() < 3) continue;
    const bool v2 = after[0] == "cgroup2";
    if (!v2 && after[0] != "cgroup") continue;
    const std::string mount_point = unescape(before[4]);
    if (!mount_point.starts_with(place)) continue;
    const std::string name = mount_point.substr(std::min(mount_point.size(), place.size() + 1));
    if (name.find('/') != std::string::npos) continue;
    // The last mount on a place is the one that is seen.
    std::erase_if(found, [&](const CgroupHierarchy& other) { return other.name == name; });
    found.push_back({name, v2 ? std::vector<std::string>{} : controllers_in(after[2]), v2 ? 2 : 1});
  }
  return found;
}

std::vector<CgroupHierarchy> find_cgroup_mounts() {
  constexpr std::size_t largest = 64 * 1024 * 1024;
  return parse_cgroup_mounts(read_file("/proc/self/mountinfo", largest));
}

std::string cgroup_in(const CgroupHierarchy& hierarchy, std::string_view self_cgroup) {
  std::vector<std::string> wanted = hierarchy.options;
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
  for (const std::string& option : hierarchy.options) {
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
  std::string path = "/sys/fs/cgroup";
  if (!hierarchy.name.empty()) path += '/' + hierarchy.name;
  path += cgroup_in(hierarchy, self_cgroup);
  Fd mount = clone_mount(AT_FDCWD, path.c_str(), 0, path);
  set_flags(mount, {.attributes = attributes, .propagation = MS_PRIVATE}, path);
  return mount;
}

std::string read_own_cgroups(const Fd& proc) {
  constexpr std::size_t k_largest = 1024 * 1024;
  const Fd file(check_syscall(::openat(proc.get(), "self/cgroup", O_RDONLY | O_CLOEXEC),
                              [] { return std::string("look at the container's cgroups"); }));
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
