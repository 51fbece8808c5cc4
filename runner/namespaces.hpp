// Namespaces: the clone that makes the container's first process in them, and what is set in each
// that is not a mount.
#pragma once

#include "base/fd.hpp"
#include "oci/runtime_spec.hpp"

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace lade::runner {

/// A child process, held by its pidfd.
struct Child {
  pid_t pid = -1;
  Fd pidfd;
};

/// An existing namespace, opened.
struct OpenNamespace {
  NamespaceKind kind = NamespaceKind::pid;
  Fd fd;
};

/// Where a new process is to be.
struct Placement {
  std::vector<NamespaceKind> created;  ///< namespaces of its own
  /// Namespaces that it shares; none of time or cgroups.
  std::vector<OpenNamespace> joined;
  std::vector<SpecTimeOffset> time_offsets;  ///< of a time namespace among `created`
  int cgroup = -1;  ///< the directory of a version 2 cgroup that it is born into, if there is one
};

/// Parent: opens the namespaces of a specification that have a path. Throws SystemError,
/// InvalidData if one is of another kind.
std::vector<OpenNamespace> open_namespaces(const std::vector<SpecNamespace>& namespaces);

/// Child: moves this process into an existing namespace. Throws SystemError.
void join_namespace(const OpenNamespace& joined);

/// Parent: whether a namespace that has a path is the one that this process is in. Throws
/// SystemError.
bool is_own_namespace(const SpecNamespace& joined);

/// Parent: the namespaces of a process, by their paths, that this one is not in.
std::vector<SpecNamespace> namespaces_of(pid_t pid);

/// Parent: clones this process to where it is to be, as fork() does otherwise. `child` runs in the
/// new process, which is a child of this one, and its result is that process's exit code. When
/// namespaces are joined, a helper process enters them, in this one's memory, and clones. THREADS:
/// single-threaded callers only.
Child clone_into(const Placement& placement, const std::function<int()>& child);

/// Parent: the ids of a new user namespace. Throws SystemError.
void map_ids(const Child& child, const std::vector<SpecIdMapping>& uids,
             const std::vector<SpecIdMapping>& gids);

/// Child: becomes the root of the user namespace that it is in now.
void become_namespace_root();

/// Child: moves this process into new namespaces.
void unshare_namespaces(const std::vector<NamespaceKind>& namespaces);

/// Child: sets the host name of its own UTS namespace.
void set_hostname(const std::string& name);

/// Child: and its NIS domain name.
void set_domainname(const std::string& name);

/// Child: brings up `lo` in its own network namespace.
void bring_up_loopback();

/// Child: writes a sysctl, by its path below /proc/sys, through a procfs of ours.
void set_sysctl(const Fd& proc, const std::string& name, const std::string& value);

}  // namespace lade::runner
