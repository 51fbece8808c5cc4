#include "runner/cgroups/path.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <limits.h>

#include <algorithm>
#include <vector>

namespace lade::runner {

namespace {

[[noreturn]] void refuse(std::string_view path, std::string_view why) {
  throw InvalidData(str("cgroup path ", quoted(path), ": ", why));
}

/// Names that systemd would accept as a part of a unit's name.
bool is_unit_name(std::string_view name) {
  return !name.empty() && name.size() <= NAME_MAX && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(":-_.\\@").find(c) != std::string_view::npos;
  });
}

}  // namespace

std::string checked_cgroup_path(std::string_view path) {
  std::string clean;
  for (const std::string& name : split(path, '/')) {
    if (name.empty() || name == ".") continue;
    if (name == "..") refuse(path, "it may not go up with `..`");
    if (name.size() > NAME_MAX) refuse(path, "a name in it is too long");
    // The kernel takes no line ends here, and a text of paths could not be read back.
    const bool control = std::ranges::any_of(name, [](char c) { return c >= 0 && c < ' '; });
    if (control) refuse(path, "there is a control character in it");
    clean += '/';
    clean += name;
  }
  if (clean.empty()) refuse(path, "it is the root, which is no container's");
  if (clean.size() >= PATH_MAX) refuse(path, "it is too long");
  return clean;
}

std::string decide_cgroup_path(std::string_view cgroups_path, std::string_view id) {
  if (cgroups_path.empty()) return checked_cgroup_path(id);
  if (std::ranges::count(cgroups_path, ':') == 2 &&
      cgroups_path.find('/') == std::string_view::npos) {
    refuse(cgroups_path, "`slice:prefix:name` is for the systemd cgroup driver");
  }
  return checked_cgroup_path(cgroups_path);
}

SystemdScope parse_systemd_scope(std::string_view cgroups_path, std::string_view id) {
  SystemdScope scope{"system.slice", {}, {}};
  std::string prefix = "lade";
  std::string name(id);
  if (!cgroups_path.empty()) {
    const std::vector<std::string> parts = split(cgroups_path, ':');
    if (parts.size() != 3) {
      refuse(cgroups_path, "the systemd cgroup driver expects `slice:prefix:name`");
    }
    if (!parts[0].empty()) scope.slice = parts[0];
    prefix = parts[1];
    if (!parts[2].empty()) name = parts[2];
  }
  scope.unit = name.ends_with(".slice") ? name
               : prefix.empty()         ? str(name, ".scope")
                                        : str(prefix, '-', name, ".scope");
  if (!is_unit_name(scope.unit)) refuse(cgroups_path, str(quoted(scope.unit), " is no unit name"));
  const std::string above = expand_slice(scope.slice);
  scope.path = above == "/" ? str('/', scope.unit) : str(above, '/', scope.unit);
  return scope;
}

std::string expand_slice(std::string_view slice) {
  constexpr std::string_view suffix = ".slice";
  if (slice == "-.slice") return "/";
  if (!slice.ends_with(suffix) || slice.size() == suffix.size() || !is_unit_name(slice)) {
    refuse(slice, "this is no name of a slice");
  }
  std::string path;
  std::string prefix;
  for (const std::string& part : split(slice.substr(0, slice.size() - suffix.size()), '-')) {
    if (part.empty()) refuse(slice, "a slice has no empty part between its dashes");
    prefix += prefix.empty() ? part : '-' + part;
    path += str('/', prefix, suffix);
  }
  return path;
}

}  // namespace lade::runner
