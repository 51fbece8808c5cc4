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

/// Parent: clones this process into new namespaces, as fork() does otherwise. `child` runs in the
/// new process and its result is that process's exit code. THREADS: single-threaded callers only.
Child clone_into(const std::vector<NamespaceKind>& namespaces, const std::function<int()>& child);

/// Child: moves this process into new namespaces.
void unshare_namespaces(const std::vector<NamespaceKind>& namespaces);

/// Child: sets the host name of its own UTS namespace.
void set_hostname(const std::string& name);

/// Child: brings up `lo` in its own network namespace.
void bring_up_loopback();

/// Child: writes a sysctl through a procfs of ours.
void set_sysctl(const Fd& proc, const std::string& name, const std::string& value);

}  // namespace lade::runner
