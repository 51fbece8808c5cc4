// The parent's side of a container's start: from the clone until its program runs, or until it
// waits for `start`.
#pragma once

#include "runner/cgroups/host.hpp"
#include "runner/channel.hpp"
#include "runner/init.hpp"
#include "runner/namespaces.hpp"
#include "runner/plan.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::runner {

/// What the caller does at moments of a start; what is not set is nothing to do.
struct StartDuties {
  /// The host's cgroup mounts, if they are known: reading all mounts of a busy host takes time.
  std::vector<CgroupHierarchy> hierarchies;
  Fd birthplace;  ///< the version 2 cgroup that the process is born into
  /// While the process takes its first steps. What it finds the version 1 cgroups by, in
  /// EnterCgroup.
  std::function<std::vector<Fd>(const Child&)> place;
  std::function<void(const Child&)> meet;        ///< at MeetParent: hooks
  std::function<void(Fd master)> take_terminal;  ///< before the program can write to it
  std::function<void(const Child&, Fd listener)> take_seccomp_listener;
  std::function<void(const std::string&)> warn;
  Trace* trace = nullptr;  ///< if where the time goes is asked for
};

/// What must be opened or known on this side of the clone; `stdio` is the caller's to fill.
Preparation prepare(const Plan& plan, const StartDuties& duties);

/// A container that is being started. It does not survive this object, unless the start succeeded
/// and it was released.
class Starting {
 public:
  /// Clones. REQUIRES: a single thread.
  Starting(const Plan& plan, Preparation preparation, StartDuties duties);
  Starting(const Starting&) = delete;
  Starting& operator=(const Starting&) = delete;
  ~Starting();

  const Child& child() const noexcept { return child_; }
  /// Readable when there is something to hear.
  int fd() const noexcept { return channel_.fd(); }
  /// Whether the start is not over yet.
  bool is_going_on() const noexcept { return going_on_; }
  /// Whether the container waits for `start`.
  bool is_ready() const noexcept { return ready_; }

  /// Hears one thing and does what is to be done. Throws what went wrong in the child, with the
  /// step as its context, or here.
  void hear();
  /// hear() until the start is over.
  void finish();
  /// The container lives on. It is the caller's to wait for.
  Child release();
  /// The container was waited for.
  void forget();

 private:
  [[noreturn]] void fail(const Failure& failure);
  void note(std::string_view what) noexcept;

  const Plan& plan_;
  StartDuties duties_;
  Child child_;
  Channel channel_;
  bool going_on_ = true;
  bool ready_ = false;
};

/// Waits for the end of a child: its exit code, or 128 and the signal that killed it.
int reap(const Fd& pidfd);

}  // namespace lade::runner
