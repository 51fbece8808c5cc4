#include "runner/plan_sysctl.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace lade::runner {

namespace {

constexpr std::array<std::string_view, 8> k_ipc{
    "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem",
    "kernel/shmall", "kernel/shmmax", "kernel/shmmni", "kernel/shm_rmid_forced"};

/// The path below /proc/sys. The first separator says how the rest is meant: `net.ipv4.conf.a/b.x`
/// and `net/ipv4/conf/a.b/x` are the same, of a device `a.b`.
std::string path_of(std::string name) {
  const auto first = name.find_first_of("./");
  if (first == std::string::npos || name[first] == '/') return name;
  for (char& c : name) {
    if (c == '.') {
      c = '/';
    } else if (c == '/') {
      c = '.';
    }
  }
  return name;
}

/// The namespace that a sysctl belongs to; nothing if to none.
std::optional<NamespaceKind> owner_of(std::string_view path) {
  if (path.starts_with("net/")) return NamespaceKind::network;
  if (path.starts_with("fs/mqueue/")) return NamespaceKind::ipc;
  if (std::find(k_ipc.begin(), k_ipc.end(), path) != k_ipc.end()) return NamespaceKind::ipc;
  if (path == "kernel/domainname" || path == "kernel/hostname") return NamespaceKind::uts;
  if (path.starts_with("user/")) return NamespaceKind::user;
  return std::nullopt;
}

}  // namespace

void plan_sysctl(const Spec& spec, std::vector<Step>& steps) {
  for (const auto& [name, value] : spec.sysctl) {
    const std::string path = path_of(name);
    const auto owner = owner_of(path);
    if (!owner) {
      throw UsageError(str("sysctl ", quoted(name), ": it belongs to no namespace"));
    }
    const bool owned = std::any_of(spec.namespaces.begin(), spec.namespaces.end(),
                                   [&](const SpecNamespace& ns) { return ns.kind == *owner; });
    if (!owned) {
      throw UsageError(str("sysctl ", quoted(name), ": its namespace is the host's"));
    }
    if (path == "kernel/hostname" && !spec.hostname.empty()) {
      throw UsageError(str("sysctl ", quoted(name), ": the host name is set already"));
    }
    steps.push_back(step::SetSysctl{path, value});
  }
}

}  // namespace lade::runner
