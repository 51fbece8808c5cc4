#include "runner/mapped_mount.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/mount_calls.hpp"
#include "runner/namespaces.hpp"
#include "runner/signals.hpp"
#include "runner/starting.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lade::runner {

namespace {

/// A user namespace that nobody is in: the kernel takes mappings in that form only.
Fd make_user_namespace(const std::vector<SpecIdMapping>& uids,
                       const std::vector<SpecIdMapping>& gids) {
  const Child child = clone_into({.created = {NamespaceKind::user}}, [] {
    ::pause();
    return 0;
  });
  struct End {
    const Child& child;
    ~End() {
      send_signal(child.pidfd, SIGKILL);
      reap(child.pidfd);
    }
  } const end{child};
  map_ids(child, uids, gids);
  return open_file(str("/proc/", child.pid, "/ns/user"), O_RDONLY);
}

}  // namespace

void map_owners(const Fd& mount, const std::vector<SpecIdMapping>& uids,
                const std::vector<SpecIdMapping>& gids, MappedMounts mounts,
                const std::string& what) {
  const Fd ns = make_user_namespace(uids, gids);
  struct mount_attr attributes {};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<__u64>(ns.get());
  const unsigned how = AT_EMPTY_PATH | (mounts == MappedMounts::all ? k_recursive : 0U);
  check_syscall(::syscall(SYS_mount_setattr, mount.get(), "", how, &attributes, sizeof attributes),
                [&] { return str("map the owners in ", quoted(what)); });
}

}  // namespace lade::runner
