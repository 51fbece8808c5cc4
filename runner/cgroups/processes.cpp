// The processes of a container's cgroup: how they get in, who they are, how they are killed.

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/cgroups/cgroup.hpp"
#include "runner/cgroups/control.hpp"
#include "runner/cgroups/patience.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace lade::runner {

namespace {

/// How long a signal waits for all processes to stand still before it is sent anyway.
constexpr std::chrono::milliseconds k_stop_patience{200};

void collect(const Directory& cgroup, std::vector<pid_t>& processes) {
  // A threaded cgroup lists none itself; the one above that is not lists them.
  for (const std::string& line : split(find_control(cgroup, "cgroup.procs").value_or(""), '\n')) {
    const auto process = parse_number<pid_t>(line);
    // 0 is one of another pid namespace, which has no number here.
    if (process && *process > 0) processes.push_back(*process);
  }
  for (const std::string& name : cgroups_below(cgroup)) {
    Fd fd(::openat(cgroup.fd(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (fd.valid()) collect(Directory(std::move(fd), cgroup.path_of(name)), processes);
  }
}

}  // namespace

void enter_cgroups(std::span<const Fd> tasks) {
  for (const Fd& each : tasks) {
    // 0 to `tasks`, rather than the number to `cgroup.procs`: for a thread that moves itself the
    // kernel need not hold up all forks and exits.
    while (::write(each.get(), "0", 1) < 0) {
      if (errno != EINTR) throw SystemError(errno, "enter the container's cgroup");
    }
  }
}

CgroupEntrance Cgroup::entrance() const {
  CgroupEntrance entrance;
  for (const Member& member : members_) {
    if (member.hierarchy.version == 2) {
      entrance.unified = duplicate(member.directory.handle());
    } else {
      entrance.tasks.push_back(member.directory.open_file("tasks", O_WRONLY));
    }
  }
  return entrance;
}

const Cgroup::Member* Cgroup::find_any() const {
  if (const Member* unified = find_unified()) return unified;
  return members_.empty() ? nullptr : &members_.front();
}

std::vector<pid_t> Cgroup::processes() const {
  std::vector<pid_t> processes;
  if (const Member* member = find_any()) collect(member->directory, processes);
  std::ranges::sort(processes);
  processes.erase(std::unique(processes.begin(), processes.end()), processes.end());
  return processes;
}

bool Cgroup::populated() const {
  const Member* member = find_any();
  if (member == nullptr) return false;
  if (member->hierarchy.version == 2) {
    const std::string events = find_control(member->directory, "cgroup.events").value_or("");
    if (const auto populated = find_keyed_number(events, "populated")) return *populated != 0;
  }
  return !processes().empty();
}

void Cgroup::signal_all(int signal) const {
  const Member* unified = find_unified();
  if (signal == SIGKILL && unified != nullptr &&
      write_control(unified->directory, "cgroup.kill", "1") == 0) {
    thaw();
    return;
  }
  // Standing still, they cannot fork away from the list.
  const bool was_frozen = frozen();
  if (!was_frozen) {
    try {
      freeze(k_stop_patience);
    } catch (const Error&) {
      // Without a freezer the list is as good as it gets; kill_all() repeats until it is empty.
    }
  }
  int failure = 0;
  for (const pid_t process : processes()) {
    if (::kill(process, signal) != 0 && errno != ESRCH) failure = errno;
  }
  if (!was_frozen || signal == SIGKILL) thaw();
  if (failure != 0) {
    throw SystemError(failure, str("signal the processes of cgroup ", quoted(path_)));
  }
}

void Cgroup::kill_all(std::chrono::milliseconds patience) const {
  const Member* unified = find_unified();
  Patience waiting(patience);
  while (populated()) {
    signal_all(SIGKILL);
    if (waiting.is_over()) {
      throw Busy(str("kill the processes of cgroup ", quoted(path_), ": ", processes().size(),
                     " are still there after ", patience.count(), " ms"));
    }
    if (unified != nullptr) {
      waiting.for_event(unified->directory, "cgroup.events", "populated", 0);
    } else {
      waiting.a_little();
    }
  }
}

}  // namespace lade::runner
