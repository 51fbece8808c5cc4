// A process that keeps a cgroup alive until the container's own is in it: systemd makes no scope
// without one.
#pragma once

#include <sys/types.h>

namespace lade::runner {

/// A process that does nothing. It ends with this object, or with the caller.
class KeeperProcess {
 public:
  /// Throws SystemError.
  KeeperProcess();
  KeeperProcess(const KeeperProcess&) = delete;
  KeeperProcess& operator=(const KeeperProcess&) = delete;
  ~KeeperProcess();

  pid_t pid() const noexcept { return pid_; }

 private:
  pid_t pid_;
};

}  // namespace lade::runner
