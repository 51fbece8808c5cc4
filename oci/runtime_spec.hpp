// The part of the OCI runtime configuration that lade makes and executes. runtime-spec, config.md
// and config-linux.md; member names follow it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lade {

/// mounts[]: what to mount where in the container.
struct SpecMount {
  std::string destination;
  std::string type;    ///< `proc`, `tmpfs`, `bind`, …
  std::string source;  ///< a host path for `bind`
  std::vector<std::string> options;
};

/// The namespaces that a container can have of its own.
enum class NamespaceKind { pid, network, mount, ipc, uts, cgroup, user };

/// process.user, not yet resolved when given by name: the container's own passwd decides.
struct SpecUser {
  std::string text;  ///< `user[:group]` as given; empty is root
};

/// linux.devices[].
struct SpecDevice {
  std::string path;
  char type = 'c';
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint32_t mode = 0666;
};

/// Lade's own: a small file over what the image has at `path`, such as /etc/hosts.
struct SpecFile {
  std::string path;
  std::string content;
};

/// process.
struct SpecProcess {
  bool terminal = false;
  SpecUser user;
  std::vector<std::string> args;
  std::vector<std::string> env;  ///< `NAME=value`, each name once
  std::string cwd = "/";
  bool create_cwd = false;  ///< lade's own: whether a missing `cwd` is made, as for an image's
  std::vector<std::string> capabilities;  ///< `CAP_…`: bounding, and the rest for uid 0
  bool no_new_privileges = false;
};

/// A whole container.
struct Spec {
  SpecProcess process;
  std::string hostname;
  bool readonly_rootfs = false;
  std::vector<SpecMount> mounts;  ///< in the order in which they are made
  std::vector<SpecFile> files;    ///< made before the first bind mount; they need a /dev mount
  std::vector<NamespaceKind> namespaces;
  std::vector<SpecDevice> devices;
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::vector<std::pair<std::string, std::string>> sysctl;  ///< `net.ipv4.…` and its value
  bool default_seccomp = true;
};

}  // namespace lade
