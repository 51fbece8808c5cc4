// Signals: what reaches lade while a container runs in the foreground goes to the container.
#pragma once

#include "base/fd.hpp"

#include <signal.h>

#include <optional>

namespace lade::runner {

/// Parent: while it lives, every signal that can be is blocked and is read here; afterwards the
/// mask is what it was before.
class SignalTap {
 public:
  SignalTap();
  SignalTap(const SignalTap&) = delete;
  SignalTap& operator=(const SignalTap&) = delete;
  ~SignalTap();

  /// Readable when a signal has come.
  int fd() const noexcept { return fd_.get(); }
  /// The next signal; nothing if there is none (any more).
  std::optional<int> next();

 private:
  sigset_t before_;
  Fd fd_;
};

/// Whether a signal to lade is meant for the container: not those of lade's own children, pipes,
/// sockets and window.
bool is_forwarded(int signal);

/// Whether a signal ends a program that does not expect it, at its user's wish.
bool is_interrupting(int signal);

/// Sends a signal to a process; whether it was still there.
bool send_signal(const Fd& pidfd, int signal);

/// Child: dispositions and mask as a new program expects them.
void reset_signals();

}  // namespace lade::runner
