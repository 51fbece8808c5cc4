// Stopping and continuing all processes of a container's cgroup.

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/cgroups/cgroup.hpp"
#include "runner/cgroups/control.hpp"
#include "runner/cgroups/patience.hpp"

#include <cerrno>

namespace lade::runner {

namespace {

constexpr const char* k_state = "freezer.state";

bool is_frozen_v1(const Directory& cgroup) {
  return find_control(cgroup, k_state).value_or("THAWED") != "THAWED";
}

/// A process that forks or sleeps in the wrong place keeps the whole at FREEZING; asking again
/// moves it on.
bool freeze_v1(const Directory& cgroup, Patience waiting) {
  do {
    set_control(cgroup, k_state, "FROZEN");
    if (find_control(cgroup, k_state) == "FROZEN") return true;
    waiting.a_little();
  } while (!waiting.is_over());
  return false;
}

bool freeze_v2(const Directory& cgroup, Patience waiting) {
  set_control(cgroup, "cgroup.freeze", "1");
  do {
    if (waiting.for_event(cgroup, "cgroup.events", "frozen", 1)) return true;
  } while (!waiting.is_over());
  return false;
}

}  // namespace

const Cgroup::Member* Cgroup::find_freezer() const {
  const Member* unified = find_unified();
  return unified != nullptr ? unified : find_member("freezer");
}

void Cgroup::freeze(std::chrono::milliseconds patience) const {
  const Member* freezer = find_freezer();
  if (freezer == nullptr) {
    throw Error(str("freeze cgroup ", quoted(path_), ": this host has no freezer for it"));
  }
  const Patience waiting(patience);
  const bool done = freezer->hierarchy.version == 2 ? freeze_v2(freezer->directory, waiting)
                                                    : freeze_v1(freezer->directory, waiting);
  if (done) return;
  thaw();
  throw Busy(str("freeze cgroup ", quoted(path_), ": its processes have not stopped after ",
                 patience.count(), " ms"));
}

void Cgroup::thaw() const {
  // Both: somebody else may have used the one that we would not.
  if (const Member* unified = find_unified()) {
    const int code = write_control(unified->directory, "cgroup.freeze", "0");
    if (code != 0 && code != ENOENT) {
      throw SystemError(code, str("thaw cgroup ", quoted(unified->directory.path())));
    }
  }
  const Member* freezer = find_member("freezer");
  if (freezer != nullptr && is_frozen_v1(freezer->directory)) {
    set_control(freezer->directory, k_state, "THAWED");
  }
}

bool Cgroup::frozen() const {
  const Member* unified = find_unified();
  if (unified != nullptr) {
    if (find_control(unified->directory, "cgroup.freeze") == "1") return true;
    const std::string events = find_control(unified->directory, "cgroup.events").value_or("");
    if (find_keyed_number(events, "frozen").value_or(0) != 0) return true;
  }
  const Member* freezer = find_member("freezer");
  return freezer != nullptr && is_frozen_v1(freezer->directory);
}

}  // namespace lade::runner
