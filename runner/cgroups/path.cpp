#include "runner/cgroups/path.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <limits.h>

#include <algorithm>

namespace lade::runner {

namespace {

[[noreturn]] void refuse(std::string_view path, std::string_view why) {
  throw InvalidData(str("cgroup path ", quoted(path), ": ", why));
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

}  // namespace lade::runner
