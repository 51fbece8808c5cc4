// Names that belong to a live process: files and directories under a flock, which the kernel lets
// go of when the process dies. What can be locked by somebody else has no owner any more.
#pragma once

#include "base/directory.hpp"
#include "base/fd.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace lade::store {

/// Waits for the exclusive flock of `fd`. `what` names it in errors.
void lock_exclusively(const Fd& fd, const std::string& what);

/// Takes the exclusive flock if nobody holds it; whether it did. A shared one that `fd` had is lost
/// if it did not.
bool try_lock(const Fd& fd);

/// Waits for the shared flock of `fd`; an exclusive one that it had becomes shared.
void lock_shared(const Fd& fd, const std::string& what);

/// Takes the shared flock if nobody holds the exclusive one; whether it did.
bool try_lock_shared(const Fd& fd);

/// Waits for what another process does, by looking at it again and again: a flock that is waited
/// for cannot be given up when somebody asks for that.
class Patience {
 public:
  /// `on_wait` is called once, before the wait number `quiet` + 1.
  Patience(std::stop_token stop, std::function<void()> on_wait, int quiet = 0);
  /// Waits a little, longer each time. Throws Cancelled.
  void wait();

 private:
  std::stop_token stop_;
  std::function<void()> on_wait_;
  int quiet_;
  std::chrono::milliseconds pause_;
};

/// Whether `name` still means the file that `fd` is: between opening and locking it somebody may
/// have removed it.
bool still_there(const Directory& parent, const std::string& name, const Fd& fd);

/// A new directory (0700) of that name, locked. Nothing if the name is taken. REQUIRES: no other
/// process makes one of that name (unique_name()): it could be taken for the one made here.
std::optional<Directory> make_locked_directory(const Directory& parent, const std::string& name);

/// A new file (0600, read and write) of that name, locked. Nothing if the name is taken.
std::optional<Fd> make_locked_file(const Directory& parent, const std::string& name);

/// A name that no other process and no other call uses: `PREFIX.PID.N`.
std::string unique_name(const std::string& prefix);

/// Locks an existing file or directory of which no live process holds the lock; nothing if one
/// does, or if it is gone.
std::optional<Fd> claim_abandoned(const Directory& parent, const std::string& name);

}  // namespace lade::store
