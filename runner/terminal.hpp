// The container's terminal (-t): a pseudo-terminal on the container's own devpts. The child opens
// it, the parent holds its master side and the caller's terminal in raw mode.
#pragma once

#include "base/fd.hpp"
#include "runner/rootfs.hpp"
#include "runner/users.hpp"

#include <termios.h>

#include <optional>

namespace lade::runner {

/// Both sides of a pseudo-terminal.
struct PseudoTerminal {
  Fd master;
  Fd slave;
};

/// Child: opens one on the container's devpts, gives the slave to `user`, shows it as /dev/console
/// and makes it this session's controlling terminal.
PseudoTerminal open_terminal(const Rootfs& root, const ResolvedUser& user);

/// Parent: gives the terminal `to` the size of `from`, if that is a terminal.
void copy_window_size(int from, const Fd& to);

/// Parent: the caller's terminal in raw mode while it lives. Does nothing if `fd` is no terminal.
class RawMode {
 public:
  explicit RawMode(int fd);
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;
  ~RawMode();

 private:
  int fd_;
  std::optional<termios> before_;
};

}  // namespace lade::runner
