#include "runner/launch.hpp"

#include "base/directory.hpp"
#include "base/text.hpp"
#include "runner/channel.hpp"
#include "runner/init.hpp"
#include "runner/namespaces.hpp"
#include "runner/signals.hpp"
#include "runner/stdio.hpp"
#include "runner/terminal.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <vector>

namespace lade::runner {

namespace {

/// How long a terminal is waited for after the container's end, should somebody still hold it open.
constexpr int k_drain_patience_ms = 200;

/// Everything that must be opened or known on this side of the clone.
Preparation prepare(const Plan& plan, const RunStreams& streams, std::vector<Relay>& relays) {
  Preparation preparation;
  preparation.bind_sources.resize(plan.steps.size());
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    if (const auto* bind = std::get_if<step::BindMount>(&plan.steps[i])) {
      preparation.bind_sources[i] = in_context([&] { return name_of(plan.steps[i]); },
                                               [&] { return open_bind_source(*bind); });
    } else if (std::holds_alternative<step::MountCgroups>(plan.steps[i])) {
      preparation.cgroups = find_cgroup_mounts();
    } else if (const auto* seccomp = std::get_if<step::LoadSeccomp>(&plan.steps[i])) {
      preparation.seccomp = make_seccomp_program(seccomp->capabilities);
    }
  }
  if (!plan.terminal) preparation.stdio = prepare_stdio(streams.stdin_mode, relays);
  return preparation;
}

/// Reaps the child; the status is that of its end.
ExitStatus wait_for(const Child& child) {
  siginfo_t info{};
  int result = 0;
  do {
    result = ::waitid(P_PIDFD, static_cast<id_t>(child.pidfd.get()), &info, WEXITED);
  } while (result < 0 && errno == EINTR);
  if (result < 0) throw SystemError(errno, "wait for the container");
  if (info.si_code == CLD_EXITED) return {info.si_status, 0};
  return {128 + info.si_status, info.si_status};
}

/// The parent's side from the clone to the container's end.
class Attendance {
 public:
  Attendance(const Plan& plan, const RunStreams& streams, Child child, Channel channel,
             SignalTap& signals, std::vector<Relay> relays)
      : plan_(plan),
        streams_(streams),
        child_(std::move(child)),
        channel_(std::move(channel)),
        signals_(signals),
        relays_(std::move(relays)) {}
  Attendance(const Attendance&) = delete;
  Attendance& operator=(const Attendance&) = delete;

  /// No container survives a failure on this side.
  ~Attendance() {
    if (reaped_) return;
    send_signal(child_.pidfd, SIGKILL);
    siginfo_t info{};
    ::waitid(P_PIDFD, static_cast<id_t>(child_.pidfd.get()), &info, WEXITED);
  }

  ExitStatus attend() {
    channel_.send_go();
    for (;;) {
      std::vector<pollfd> polls{{signals_.fd(), POLLIN, 0}, {child_.pidfd.get(), POLLIN, 0}};
      if (starting_) polls.push_back({channel_.fd(), POLLIN, 0});
      for (const Relay& relay : relays_) relay.add_polls(polls);
      if (::poll(polls.data(), polls.size(), -1) < 0) {
        if (errno == EINTR) continue;
        throw SystemError(errno, "wait for the container");
      }
      if (polls[0].revents != 0) pass_signals();
      // What the child said comes before the fact that it is gone.
      if (starting_ && polls[2].revents != 0) hear();
      for (Relay& relay : relays_) relay.step(polls);
      if (polls[1].revents != 0 && !starting_) return finish();
    }
  }

 private:
  void pass_signals() {
    while (const auto signal = signals_.next()) {
      if (*signal == SIGWINCH && master_.valid()) copy_window_size(STDIN_FILENO, master_);
      if (!is_forwarded(*signal)) continue;
      // A first process without its program yet ignores them; whoever interrupts now means it.
      const bool abandon = starting_ && is_interrupting(*signal);
      if (abandon) interrupted_ = *signal;
      send_signal(child_.pidfd, abandon ? SIGKILL : *signal);
    }
  }

  void hear() {
    Channel::Message message = channel_.receive();
    switch (message.kind) {
      case Channel::Message::Kind::terminal:
        take_terminal(std::move(message.terminal));
        break;
      case Channel::Message::Kind::failure:
        fail(message.failure);
        break;
      case Channel::Message::Kind::closed:
        starting_ = false;
        if (master_.valid() && streams_.stdin_mode == Stdin::open) raw_.emplace(STDIN_FILENO);
        break;
    }
  }

  void take_terminal(Fd master) {
    master_ = std::move(master);
    // The program must find the right size when it starts.
    copy_window_size(::isatty(STDIN_FILENO) == 1 ? STDIN_FILENO : STDOUT_FILENO, master_);
    relays_.emplace_back(master_.get(), STDOUT_FILENO, Relay::AtEnd::close_owned);
    if (streams_.stdin_mode == Stdin::open) {
      relays_.emplace_back(STDIN_FILENO, master_.get(), Relay::AtEnd::send_eof_character);
    }
    channel_.send_go();
  }

  [[noreturn]] void fail(const Failure& failure) {
    if (failure.kind == Failure::Kind::cannot_run) rethrow(failure);
    const auto index = static_cast<std::size_t>(failure.step);
    in_context([&] { return index < plan_.steps.size() ? name_of(plan_.steps[index]) : "start"; },
               [&] { rethrow(failure); });
    throw Error(failure.text);
  }

  ExitStatus finish() {
    ExitStatus status = wait_for(child_);
    reaped_ = true;
    if (interrupted_ != 0) status = {128 + interrupted_, interrupted_};
    // What the container wrote last is still in the pipes.
    for (Relay& relay : relays_) {
      if (relay.is_output()) relay.drain(k_drain_patience_ms);
    }
    return status;
  }

  const Plan& plan_;
  const RunStreams& streams_;
  Child child_;
  Channel channel_;
  SignalTap& signals_;
  std::vector<Relay> relays_;
  Fd master_;
  std::optional<RawMode> raw_;
  bool starting_ = true;
  bool reaped_ = false;
  int interrupted_ = 0;
};

}  // namespace

bool is_single_threaded() {
  return Directory::open("/proc/self/task").list().size() == 1;
}

ExitStatus run(const Plan& plan, const RunStreams& streams, Observer& observer) {
  if (!is_single_threaded()) {
    throw Error("start a container: this process has more than one thread");
  }
  if (plan.terminal && streams.stdin_mode == Stdin::open && ::isatty(STDIN_FILENO) != 1) {
    observer.note(NoteLevel::warning, "the input device is not a terminal");
  }
  std::vector<Relay> relays;
  SignalTap signals;
  std::optional<Preparation> preparation = prepare(plan, streams, relays);
  ChannelPair channel = make_channel();
  Child child = clone_into(plan.namespaces, [&] { return init_main(plan, *preparation, channel); });
  channel.child.close();
  // The container's ends of the pipes must have no other holder than the container.
  preparation.reset();
  Attendance attendance(plan, streams, std::move(child), std::move(channel.parent), signals,
                        std::move(relays));
  return attendance.attend();
}

}  // namespace lade::runner
