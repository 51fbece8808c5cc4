#include "runner/launch.hpp"

#include "base/directory.hpp"
#include "base/text.hpp"
#include "runner/signals.hpp"
#include "runner/starting.hpp"
#include "runner/stdio.hpp"
#include "runner/terminal.hpp"

#include <poll.h>
#include <unistd.h>

#include <optional>
#include <vector>

namespace lade::runner {

namespace {

/// How long a terminal is waited for after the container's end, should somebody still hold it open.
constexpr int k_drain_patience_ms = 200;

/// The caller's terminal or streams, while a container has them.
class Foreground {
 public:
  Foreground(Stdin stdin_mode, std::vector<Relay> relays)
      : stdin_mode_(stdin_mode), relays_(std::move(relays)) {}

  void take_terminal(Fd master) {
    master_ = std::move(master);
    // The program must find the right size when it starts.
    fit_terminal();
    relays_.emplace_back(master_.get(), STDOUT_FILENO, Relay::AtEnd::close_owned);
    if (stdin_mode_ == Stdin::open) {
      relays_.emplace_back(STDIN_FILENO, master_.get(), Relay::AtEnd::send_eof_character);
    }
  }

  void program_runs() {
    if (master_.valid() && stdin_mode_ == Stdin::open) raw_.emplace(STDIN_FILENO);
  }

  void fit_terminal() {
    if (!master_.valid()) return;
    copy_window_size(::isatty(STDIN_FILENO) == 1 ? STDIN_FILENO : STDOUT_FILENO, master_);
  }

  std::vector<Relay>& relays() noexcept { return relays_; }

  /// What the container wrote last is still in the pipes.
  void drain() {
    for (Relay& relay : relays_) {
      if (relay.is_output()) relay.drain(k_drain_patience_ms);
    }
  }

 private:
  Stdin stdin_mode_;
  std::vector<Relay> relays_;
  Fd master_;
  std::optional<RawMode> raw_;
};

/// The parent's side from the clone to the container's end.
class Attendance {
 public:
  Attendance(Starting& starting, Foreground& foreground, SignalTap& signals,
             const std::function<void(const Child&)>& on_running)
      : starting_(starting), foreground_(foreground), signals_(signals), on_running_(on_running) {}

  ExitStatus attend() {
    const Fd& pidfd = starting_.child().pidfd;
    for (;;) {
      const bool was_starting = starting_.is_going_on();
      std::vector<pollfd> polls{{signals_.fd(), POLLIN, 0}, {pidfd.get(), POLLIN, 0}};
      if (was_starting) polls.push_back({starting_.fd(), POLLIN, 0});
      for (const Relay& relay : foreground_.relays()) relay.add_polls(polls);
      if (::poll(polls.data(), polls.size(), -1) < 0) {
        if (errno == EINTR) continue;
        throw SystemError(errno, "wait for the container");
      }
      if (polls[0].revents != 0) pass_signals();
      // What the child said comes before the fact that it is gone.
      if (was_starting && polls[2].revents != 0) hear();
      for (Relay& relay : foreground_.relays()) relay.step(polls);
      if (polls[1].revents != 0 && !starting_.is_going_on()) return finish();
    }
  }

 private:
  void pass_signals() {
    while (const auto signal = signals_.next()) {
      if (*signal == SIGWINCH) foreground_.fit_terminal();
      if (!is_forwarded(*signal)) continue;
      // A first process without its program yet ignores them; whoever interrupts now means it.
      const bool abandon = starting_.is_going_on() && is_interrupting(*signal);
      if (abandon) interrupted_ = *signal;
      send_signal(starting_.child().pidfd, abandon ? SIGKILL : *signal);
    }
  }

  void hear() {
    starting_.hear();
    if (starting_.is_going_on()) return;
    foreground_.program_runs();
    if (on_running_) on_running_(starting_.child());
  }

  ExitStatus finish() {
    const int code = reap(starting_.child().pidfd);
    starting_.forget();
    foreground_.drain();
    return {interrupted_ != 0 ? 128 + interrupted_ : code};
  }

  Starting& starting_;
  Foreground& foreground_;
  SignalTap& signals_;
  const std::function<void(const Child&)>& on_running_;
  int interrupted_ = 0;
};

void check_single_thread() {
  if (!is_single_threaded()) {
    throw Error("start a container: this process has more than one thread");
  }
}

}  // namespace

bool is_single_threaded() {
  return Directory::open("/proc/self/task").list().size() == 1;
}

ExitStatus run(const Plan& plan, const RunStreams& streams, RunDuties duties) {
  check_single_thread();
  if (plan.terminal && streams.stdin_mode == Stdin::open && ::isatty(STDIN_FILENO) != 1 &&
      duties.start.warn) {
    duties.start.warn("the input device is not a terminal");
  }
  SignalTap signals;
  std::vector<Relay> relays;
  Preparation preparation = prepare(plan, duties.start);
  if (!plan.terminal) {
    preparation.stdio = streams.terminals == TerminalStreams::relayed
                            ? prepare_stdio(streams.stdin_mode, relays)
                            : inherit_stdio();
  }
  if (duties.start.trace != nullptr) duties.start.trace->note(TraceSide::lade, "prepare");
  Foreground foreground(streams.stdin_mode, std::move(relays));
  if (!duties.start.take_terminal) {
    duties.start.take_terminal = [&](Fd master) { foreground.take_terminal(std::move(master)); };
  }
  Starting starting(plan, std::move(preparation), std::move(duties.start));
  return Attendance(starting, foreground, signals, duties.running).attend();
}

Child start(const Plan& plan, Fd start_listener, StartDuties duties) {
  check_single_thread();
  Preparation preparation = prepare(plan, duties);
  preparation.start_listener = std::move(start_listener);
  if (!plan.terminal) preparation.stdio = inherit_stdio();
  Starting starting(plan, std::move(preparation), std::move(duties));
  starting.finish();
  return starting.release();
}

}  // namespace lade::runner
