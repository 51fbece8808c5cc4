// Removing a container's cgroup.

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/cgroups/cgroup.hpp"
#include "runner/cgroups/control.hpp"
#include "runner/cgroups/patience.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace lade::runner {

namespace {

/// Removes the cgroups below, the deepest first. What is in use stays.
void remove_below(const Directory& cgroup) {
  for (const std::string& name : cgroups_below(cgroup)) {
    if (::unlinkat(cgroup.fd(), name.c_str(), AT_REMOVEDIR) == 0) continue;
    Fd fd(::openat(cgroup.fd(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd.valid()) continue;
    remove_below(Directory(std::move(fd), cgroup.path_of(name)));
    ::unlinkat(cgroup.fd(), name.c_str(), AT_REMOVEDIR);
  }
}

/// The last steps of a process that ends: it is out of sight, but still counted.
void remove_directory(const Fd& mount_point, const std::string& path, const Directory& cgroup,
                      Patience waiting) {
  for (;;) {
    if (::unlinkat(mount_point.get(), path.c_str() + 1, AT_REMOVEDIR) == 0) return;
    if (errno == ENOENT) return;
    if (errno != EBUSY) throw SystemError(errno, str("remove cgroup ", quoted(cgroup.path())));
    remove_below(cgroup);
    if (::unlinkat(mount_point.get(), path.c_str() + 1, AT_REMOVEDIR) == 0) return;
    if (errno == ENOENT) return;
    if (waiting.is_over()) {
      throw Busy(str("remove cgroup ", quoted(cgroup.path()), ": processes are still in it"));
    }
    waiting.a_little();
  }
}

}  // namespace

void Cgroup::remove_above(const Fd& mount_point, std::size_t made_parents) const {
  std::string above = path_;
  for (std::size_t i = 0; i < made_parents; ++i) {
    above.resize(above.rfind('/'));
    // In use, or gone already: then those above it are not ours to look at.
    if (above.empty() || ::unlinkat(mount_point.get(), above.c_str() + 1, AT_REMOVEDIR) != 0) break;
  }
}

void Cgroup::remove(std::chrono::milliseconds patience, std::size_t made_parents) {
  const Patience waiting(patience);
  while (!members_.empty()) {
    const Member& member = members_.back();
    const Fd mount_point = open_mount_point(member.hierarchy.mount_point);
    remove_directory(mount_point, path_, member.directory, waiting);
    remove_above(mount_point, made_parents);
    members_.pop_back();
  }
}

void Cgroup::remove_empty(std::chrono::milliseconds patience, std::size_t made_parents) {
  Patience waiting(patience);
  while (!members_.empty()) {
    const Fd mount_point = open_mount_point(members_.back().hierarchy.mount_point);
    while (::unlinkat(mount_point.get(), path_.c_str() + 1, AT_REMOVEDIR) != 0 && errno == EBUSY &&
           !waiting.is_over()) {
      waiting.a_little();
    }
    remove_above(mount_point, made_parents);
    members_.pop_back();
  }
}

}  // namespace lade::runner
