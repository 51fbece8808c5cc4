#include "runner/starting.hpp"

#include "base/error.hpp"
#include "runner/limits.hpp"
#include "runner/mounts.hpp"
#include "runner/net_devices.hpp"
#include "runner/scheduling.hpp"
#include "runner/seccomp/filter.hpp"
#include "runner/signals.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace lade::runner {

Preparation prepare(const Plan& plan, const StartDuties& duties) {
  Preparation preparation;
  preparation.own_file = identity_of_own_file();
  preparation.bind_sources.resize(plan.steps.size());
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    if (const auto* bind = std::get_if<step::BindMount>(&plan.steps[i])) {
      preparation.bind_sources[i] = in_context([&] { return name_of(plan.steps[i]); },
                                               [&] { return open_bind_source(*bind); });
    } else if (std::holds_alternative<step::MountCgroups>(plan.steps[i])) {
      preparation.cgroups = duties.hierarchies.empty() ? find_cgroup_mounts() : duties.hierarchies;
    } else if (const auto* seccomp = std::get_if<step::LoadSeccomp>(&plan.steps[i])) {
      preparation.seccomp = make_seccomp_filter(*seccomp, plan.seccomp_cache);
    }
  }
  return preparation;
}

int reap(const Fd& pidfd) {
  siginfo_t info{};
  int result = 0;
  do {
    result = ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED);
  } while (result < 0 && errno == EINTR);
  if (result < 0) throw SystemError(errno, "wait for the container");
  return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

Starting::Starting(const Plan& plan, Preparation preparation, StartDuties duties)
    : plan_(plan), duties_(std::move(duties)), channel_(Fd()) {
  for (const std::string& text : plan.warnings) {
    if (duties_.warn) duties_.warn(text);
  }
  preparation.trace = duties_.trace;
  Placement placement{plan.namespaces, open_namespaces(plan.joined), plan.time_offsets,
                      duties_.birthplace.get()};
  std::vector<OpenNamespace>& joined = placement.joined;
  const auto late = std::stable_partition(joined.begin(), joined.end(), [](const auto& each) {
    return each.kind != NamespaceKind::cgroup && each.kind != NamespaceKind::time;
  });
  std::move(late, joined.end(), std::back_inserter(preparation.late));
  joined.erase(late, joined.end());
  ChannelPair channel = make_channel();
  // The container's ends of pipes must have no other holder than the container: `preparation` ends
  // here with this function.
  child_ = clone_into(placement, [&] { return init_main(plan, preparation, channel); });
  channel_ = std::move(channel.parent);
  // The child's end is the child's alone: its death must be heard.
  channel.child.close();
  note("clone");
  std::vector<Fd> entrance;
  try {
    if (!plan.uid_mappings.empty()) map_ids(child_, plan.uid_mappings, plan.gid_mappings);
    if (!plan.rlimits.empty()) raise_limits(child_.pid, plan.rlimits);
    if (plan.oom_score_adj) set_oom_score(child_.pid, *plan.oom_score_adj);
    if (!plan.initial_cpus.empty()) set_affinity(child_.pid, plan.initial_cpus);
    if (duties_.place) entrance = duties_.place(child_);
    move_net_devices(plan.net_devices, child_.pid);
  } catch (...) {
    send_signal(child_.pidfd, SIGKILL);
    reap(child_.pidfd);
    // The child's own reason, if it had one to end, is the better one.
    while (going_on_) hear();
    throw;
  }
  channel_.send_go(entrance);
  note("what the first process needs of lade");
}

Starting::~Starting() {
  if (!child_.pidfd.valid()) return;
  send_signal(child_.pidfd, SIGKILL);
  siginfo_t info{};
  ::waitid(P_PIDFD, static_cast<id_t>(child_.pidfd.get()), &info, WEXITED);
}

void Starting::note(std::string_view what) noexcept {
  if (duties_.trace != nullptr) duties_.trace->note(TraceSide::lade, what);
}

void Starting::hear() {
  Channel::Message message = channel_.receive();
  using Kind = Channel::Message::Kind;
  switch (message.kind) {
    case Kind::failure:
      fail(message.failure);
    case Kind::closed:
      going_on_ = false;
      note("until the program was executed");
      return;
    case Kind::ready:
      going_on_ = false;
      ready_ = true;
      return;
    case Kind::terminal:
      if (duties_.take_terminal) duties_.take_terminal(std::move(message.fd));
      break;
    case Kind::seccomp_listener:
      if (duties_.take_seccomp_listener) {
        duties_.take_seccomp_listener(child_, std::move(message.fd));
      }
      break;
    case Kind::meeting:
      if (duties_.meet) duties_.meet(child_);
      break;
    case Kind::warning:
      if (duties_.warn) duties_.warn(message.text);
      return;
  }
  channel_.send_go();
}

void Starting::finish() {
  while (going_on_) hear();
}

Child Starting::release() {
  return std::exchange(child_, Child());
}

void Starting::forget() {
  child_ = Child();
}

void Starting::fail(const Failure& failure) {
  if (failure.kind == Failure::Kind::cannot_run) rethrow(failure);
  const auto index = static_cast<std::size_t>(failure.step);
  in_context([&] { return index < plan_.steps.size() ? name_of(plan_.steps[index]) : "start"; },
             [&] { rethrow(failure); });
  throw Error(failure.text);
}

}  // namespace lade::runner
