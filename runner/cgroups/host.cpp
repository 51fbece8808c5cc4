#include "runner/cgroups/host.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace lade::runner {

namespace {

constexpr std::string_view k_place = "/sys/fs/cgroup";
constexpr std::size_t k_largest_mountinfo = 64 * 1024 * 1024;
constexpr std::size_t k_largest_text = 1024 * 1024;

/// Undoes the octal escapes of mountinfo.
std::string unescape(std::string_view text) {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) &&
        octal(text[i + 3])) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                               (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// The controllers (and `name=…`) among the options of a version 1 mount.
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

/// Where `path`, of the hierarchy's root, is below a mount that shows `root`; empty if it is not.
std::string below_mount(const std::string& path, const std::string& root) {
  if (root == "/") return path;
  if (path == root) return "/";
  return path.starts_with(root + "/") ? path.substr(root.size()) : std::string();
}

/// The caller's cgroup in a hierarchy, from the lines `4:memory:/path` and `0::/path`.
std::string own_cgroup(const CgroupHierarchy& hierarchy, const std::string& self_cgroup) {
  for (const std::string& line : split(self_cgroup, '\n')) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string list = line.substr(first + 1, second - first - 1);
    const bool same =
        hierarchy.version == 2
            ? line.substr(0, first) == "0" && list.empty()
            : !list.empty() && std::ranges::is_permutation(split(list, ','), hierarchy.controllers);
    if (same) return below_mount(line.substr(second + 1), hierarchy.root);
  }
  return {};
}

CgroupMode mode_of(const std::vector<CgroupHierarchy>& hierarchies) {
  const auto v2 = [](const CgroupHierarchy& hierarchy) { return hierarchy.version == 2; };
  if (hierarchies.empty()) return CgroupMode::none;
  if (std::ranges::all_of(hierarchies, v2)) return CgroupMode::v2;
  return std::ranges::any_of(hierarchies, v2) ? CgroupMode::hybrid : CgroupMode::v1;
}

/// cgroup.controllers of the version 2 mount among `hierarchies`.
std::string read_v2_controllers(const std::vector<CgroupHierarchy>& hierarchies) {
  for (const CgroupHierarchy& hierarchy : hierarchies) {
    if (hierarchy.version != 2) continue;
    return read_file(hierarchy.mount_point + "/cgroup.controllers", k_largest_text);
  }
  return {};
}

CgroupHost make_host(std::vector<CgroupHierarchy> hierarchies, const std::string& self_cgroup,
                     const std::string& v2_controllers) {
  CgroupHost host;
  host.mode = mode_of(hierarchies);
  host.hierarchies = std::move(hierarchies);
  for (CgroupHierarchy& hierarchy : host.hierarchies) {
    hierarchy.own = own_cgroup(hierarchy, self_cgroup);
    if (hierarchy.version != 2) continue;
    for (std::string& controller : split(trim(v2_controllers), ' ')) {
      if (!controller.empty()) hierarchy.controllers.push_back(std::move(controller));
    }
  }
  return host;
}

}  // namespace

const CgroupHierarchy* CgroupHost::find_controller(std::string_view controller) const {
  const auto serves = [&](const CgroupHierarchy& hierarchy) {
    return std::ranges::find(hierarchy.controllers, controller) != hierarchy.controllers.end();
  };
  const auto found = std::ranges::find_if(hierarchies, serves);
  return found == hierarchies.end() ? nullptr : &*found;
}

const CgroupHierarchy* CgroupHost::find_unified() const {
  const auto found = std::ranges::find(hierarchies, 2, &CgroupHierarchy::version);
  return found == hierarchies.end() ? nullptr : &*found;
}

CgroupHost CgroupHost::only(int version) const {
  CgroupHost host{mode, {}};
  std::ranges::copy_if(hierarchies, std::back_inserter(host.hierarchies),
                       [&](const CgroupHierarchy& each) { return each.version == version; });
  return host;
}

std::vector<CgroupHierarchy> parse_cgroup_mounts(const std::string& mountinfo) {
  std::vector<CgroupHierarchy> found;
  for (const std::string& line : split(mountinfo, '\n')) {
    const auto dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    if (!std::string_view(line).substr(dash + 3).starts_with("cgroup")) continue;
    const auto before = split(std::string_view(line).substr(0, dash), ' ');
    const auto after = split(std::string_view(line).substr(dash + 3), ' ');
    if (before.size() < 6 || after.size() < 3) continue;
    const bool v2 = after[0] == "cgroup2";
    if (!v2 && after[0] != "cgroup") continue;
    std::string mount_point = unescape(before[4]);
    if (!mount_point.starts_with(k_place)) continue;
    if (mount_point.size() > k_place.size() && mount_point[k_place.size()] != '/') continue;
    std::string name = mount_point.substr(std::min(mount_point.size(), k_place.size() + 1));
    if (name.find('/') != std::string::npos) continue;
    // The last mount on a place is the one that is seen.
    std::erase_if(found, [&](const CgroupHierarchy& other) { return other.name == name; });
    CgroupHierarchy hierarchy;
    hierarchy.name = std::move(name);
    if (!v2) hierarchy.controllers = controllers_in(after[2]);
    hierarchy.version = v2 ? 2 : 1;
    hierarchy.mount_point = std::move(mount_point);
    hierarchy.root = unescape(before[3]);
    found.push_back(std::move(hierarchy));
  }
  return found;
}

CgroupHost parse_cgroup_host(const std::string& mountinfo, const std::string& self_cgroup,
                             const std::string& v2_controllers) {
  return make_host(parse_cgroup_mounts(mountinfo), self_cgroup, v2_controllers);
}

std::vector<CgroupHierarchy> find_cgroup_mounts() {
  return parse_cgroup_mounts(read_file("/proc/self/mountinfo", k_largest_mountinfo));
}

CgroupHost find_cgroup_host() {
  std::vector<CgroupHierarchy> hierarchies = find_cgroup_mounts();
  const std::string v2_controllers = read_v2_controllers(hierarchies);
  return make_host(std::move(hierarchies), read_file("/proc/self/cgroup", k_largest_text),
                   v2_controllers);
}

}  // namespace lade::runner
