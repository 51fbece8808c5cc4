#include "cli/deadline.hpp"

#include "base/error.hpp"

#include <signal.h>

namespace lade::cli {

Deadline::Deadline(std::chrono::milliseconds after) : after_(after) {
  if (after_.count() == 0) return;
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGINT;
  check_syscall(::timer_create(CLOCK_MONOTONIC, &event, &timer_),
                [] { return std::string("create a timer"); });
  itimerspec time{};
  time.it_value.tv_sec = after_.count() / 1000;
  time.it_value.tv_nsec = after_.count() % 1000 * 1'000'000;
  check_syscall(::timer_settime(timer_, 0, &time, nullptr),
                [] { return std::string("set a timer"); });
}

Deadline::~Deadline() {
  if (after_.count() > 0) ::timer_delete(timer_);
}

bool Deadline::is_over() const {
  return after_.count() > 0 && std::chrono::steady_clock::now() - began_ >= after_;
}

}  // namespace lade::cli
