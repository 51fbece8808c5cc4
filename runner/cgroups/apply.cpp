// Writing limits into a container's cgroup.

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/cgroups/cgroup.hpp"
#include "runner/cgroups/control.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

namespace lade::runner {

namespace {

/// What version 1 shows for "no limit": the largest number of whole pages, or more.
constexpr std::uint64_t k_no_limit_v1 = 0x7FFF'FFFF'0000'0000;

/// Tries the places of a setting. 0; ENOENT if no file is there; the errno of the write otherwise.
int write_setting(const Directory& cgroup, const CgroupSetting& setting,
                  const CgroupSetting::Place*& tried) {
  for (const CgroupSetting::Place& place : setting.places) {
    tried = &place;
    const int code = write_control(cgroup, place.file, place.value);
    if (code != ENOENT) return code;
  }
  return ENOENT;
}

/// Gives the cgroups between the hierarchy's top and the container's at least `value`, since the
/// kernel grants no more than they have. What is refused shows when the container's own is written.
void raise_ancestors(const CgroupHierarchy& hierarchy, const std::string& path,
                     const CgroupSetting::Place& place) {
  const auto wanted = parse_number<std::int64_t>(place.value);
  if (!wanted) return;
  const Fd mount_point = open_mount_point(hierarchy.mount_point);
  for (auto slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string above = path.substr(0, slash);
    Fd fd(open_cgroup(mount_point, above));
    if (!fd.valid()) return;
    const Directory cgroup(std::move(fd), str(hierarchy.mount_point, above));
    const auto present = parse_number<std::int64_t>(find_control(cgroup, place.file).value_or("0"));
    if (present.value_or(0) < *wanted) write_control(cgroup, place.file, place.value);
  }
}

/// The files of a cgroup that its owner may write to.
std::vector<std::string> delegated_files() {
  std::vector<std::string> files;
  const Fd list(::open("/sys/kernel/cgroup/delegate", O_RDONLY | O_CLOEXEC));
  // Kernels before 4.15 have no list.
  if (!list.valid()) return {"cgroup.procs", "cgroup.threads", "cgroup.subtree_control"};
  for (std::string& file : split(read_whole(list, 65536, "/sys/kernel/cgroup/delegate"), '\n')) {
    if (!file.empty() && file.find('/') == std::string::npos) files.push_back(std::move(file));
  }
  return files;
}

}  // namespace

const Cgroup::Member* Cgroup::find_unified() const {
  const auto found =
      std::ranges::find(members_, 2, [](const Member& member) { return member.hierarchy.version; });
  return found == members_.end() ? nullptr : &*found;
}

const Cgroup::Member* Cgroup::find_member(std::string_view controller) const {
  if (controller == "cgroup") return find_unified();
  const auto found = std::ranges::find_if(members_, [&](const Member& member) {
    const auto& controllers = member.hierarchy.controllers;
    return std::ranges::find(controllers, controller) != controllers.end();
  });
  return found == members_.end() ? nullptr : &*found;
}

const Directory* Cgroup::find_directory(std::string_view controller) const {
  const Member* member = find_member(controller);
  return member == nullptr ? nullptr : &member->directory;
}

std::string Cgroup::why_missing(const CgroupSetting& setting) const {
  std::string why = str("cgroup file ", quoted(setting.places.back().file), " is not there");
  for (const CgroupUnavailable& hierarchy : unavailable_) {
    const std::vector<std::string> names = split(hierarchy.hierarchy, ',');
    const bool meant = std::ranges::find(names, setting.controller) != names.end() ||
                       (find_member(setting.controller) == nullptr && names[0] == "unified");
    if (meant) why = hierarchy.what;
  }
  return why;
}

std::vector<std::string> Cgroup::apply(const CgroupChange& change) const {
  std::vector<std::string> warnings = change.warnings;
  const auto missing = [&](const CgroupSetting& setting) {
    std::string text = str("linux.resources.", setting.property, ": ", why_missing(setting));
    if (setting.missing == CgroupSetting::Missing::error) throw Error(std::move(text));
    if (setting.missing == CgroupSetting::Missing::warning) warnings.push_back(std::move(text));
  };
  const auto write = [&](const CgroupSetting& setting, CgroupSetting::Turn turn) {
    const Member* member = find_member(setting.controller);
    if (member == nullptr) {
      missing(setting);
      return true;
    }
    if (setting.reach == CgroupSetting::Reach::ancestors_first) {
      raise_ancestors(member->hierarchy, path_, setting.places.front());
    }
    const CgroupSetting::Place* tried = nullptr;
    const int code = write_setting(member->directory, setting, tried);
    if (code == 0) return true;
    if (code == EINVAL && turn == CgroupSetting::Turn::again_if_invalid) return false;
    if (code == ENOENT) {
      missing(setting);
      return true;
    }
    SystemError error(code, str("write ", quoted(tried->value), " to ",
                                quoted(member->directory.path_of(tried->file))));
    error.add_context(str("linux.resources.", setting.property));
    throw error;
  };
  std::vector<const CgroupSetting*> again;
  for (const CgroupSetting& setting : change.settings) {
    if (!write(setting, setting.turn)) again.push_back(&setting);
  }
  for (const CgroupSetting* setting : again) write(*setting, CgroupSetting::Turn::once);
  return warnings;
}

void Cgroup::delegate_to(uid_t user, gid_t group) const {
  const Member* member = find_unified();
  if (member == nullptr) return;
  const Directory& directory = member->directory;
  check_syscall(::fchown(directory.fd(), user, group),
                [&] { return str("give cgroup ", quoted(directory.path()), " to user ", user); });
  for (const std::string& file : delegated_files()) {
    const int result = ::fchownat(directory.fd(), file.c_str(), user, group, AT_SYMLINK_NOFOLLOW);
    // Which of them there are depends on the controllers.
    if (result != 0 && errno == ENOENT) continue;
    check_syscall(result,
                  [&] { return str("give ", quoted(directory.path_of(file)), " to user ", user); });
  }
}

CgroupPresent Cgroup::present() const {
  CgroupPresent present;
  if (const Member* memory = find_member("memory")) {
    const bool v1 = memory->hierarchy.version == 1;
    present.memory_limit =
        find_control_number(memory->directory, v1 ? "memory.limit_in_bytes" : "memory.max");
    if (present.memory_limit && *present.memory_limit >= k_no_limit_v1) {
      present.memory_limit.reset();
    }
    present.memory_usage =
        find_control_number(memory->directory, v1 ? "memory.usage_in_bytes" : "memory.current");
  }
  const Member* cpu = find_member("cpu");
  if (cpu != nullptr && cpu->hierarchy.version == 2) {
    const std::string text = find_control(cpu->directory, "cpu.max").value_or("");
    present.cpu_quota = text.substr(0, text.find(' '));
  }
  return present;
}

}  // namespace lade::runner
