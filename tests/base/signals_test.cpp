#include "base/signals.hpp"

#include "tests/base/scratch.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <condition_variable>
#include <mutex>

namespace lade {
namespace {

void wait_for_stop(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait(lock, stop, [] { return false; });
}

TEST(InterruptWatch, TheFirstSignalRequestsAStop) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    const int status = in_child([&] {
      const InterruptWatch watch;
      if (watch.stop().stop_requested()) return 1;
      ::kill(::getpid(), number);
      wait_for_stop(watch.stop());
      return 42;
    });
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 42) << number << ' ' << status;
  }
}

TEST(InterruptWatch, TheSecondOneEndsTheProcess) {
  const int status = in_child([] {
    const InterruptWatch watch;
    ::kill(::getpid(), SIGINT);
    wait_for_stop(watch.stop());
    ::kill(::getpid(), SIGINT);
    for (;;) ::pause();
    return 1;
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) << status;
}

TEST(InterruptWatch, LeavesNothingBehind) {
  const int status = in_child([] {
    { const InterruptWatch watch; }
    sigset_t mask;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    if (::sigismember(&mask, SIGINT) || ::sigismember(&mask, SIGTERM)) return 1;
    ::kill(::getpid(), SIGTERM);
    for (;;) ::pause();
    return 2;
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
}

}  // namespace
}  // namespace lade
