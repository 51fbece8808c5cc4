#include "base/concurrency.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <latch>
#include <set>
#include <thread>

namespace lade {
namespace {

TEST(ParallelForEach, CallsEveryIndexOnce) {
  for (const std::size_t jobs : {0u, 1u, 3u, 100u}) {
    Sync<std::multiset<std::size_t>> seen;
    parallel_for_each(20, jobs, {}, [&](std::size_t index, const std::stop_token&) {
      seen.lock()->insert(index);
    });
    EXPECT_EQ(seen.lock()->size(), 20u);
    for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(seen.lock()->count(i), 1u);
  }
}

TEST(ParallelForEach, NothingToDo) {
  parallel_for_each(0, 4, {}, [](std::size_t, const std::stop_token&) { FAIL(); });
}

TEST(ParallelForEach, OneJobStaysInTheCallersThread) {
  const auto here = std::this_thread::get_id();
  parallel_for_each(3, 1, {}, [&](std::size_t, const std::stop_token&) {
    EXPECT_EQ(std::this_thread::get_id(), here);
  });
}

TEST(ParallelForEach, RunsAtTheSameTime) {
  // Neither item can finish without the other.
  std::latch both(2);
  parallel_for_each(2, 2, {}, [&](std::size_t, const std::stop_token&) { both.arrive_and_wait(); });
}

TEST(ParallelForEach, TheFirstErrorStopsTheOthers) {
  std::atomic<int> started = 0;
  const auto run = [&] {
    std::latch waiting(2);
    parallel_for_each(1000, 2, {}, [&](std::size_t index, const std::stop_token& stop) {
      ++started;
      waiting.arrive_and_wait();
      if (index == 0) throw NotFound("the first");
      // Waits for the stop request that the other's failure causes, then fails because of it.
      std::mutex mutex;
      std::condition_variable_any changed;
      std::unique_lock lock(mutex);
      changed.wait(lock, stop, [] { return false; });
      throw Cancelled();
    });
  };
  EXPECT_THROW(run(), NotFound);
  EXPECT_EQ(started, 2) << "nothing new is started after a failure";
}

TEST(ParallelForEach, AStopRequestIsCancelled) {
  std::stop_source stop;
  int calls = 0;
  EXPECT_THROW(parallel_for_each(10, 1, stop.get_token(),
                                 [&](std::size_t, const std::stop_token& inner) {
                                   ++calls;
                                   stop.request_stop();
                                   EXPECT_TRUE(inner.stop_requested());
                                 }),
               Cancelled);
  EXPECT_EQ(calls, 1);
}

TEST(Sync, GuardsItsValue) {
  Sync<int> counter(std::in_place, 5);
  parallel_for_each(4, 4, {}, [&](std::size_t, const std::stop_token&) {
    for (int i = 0; i < 10'000; ++i) ++*counter.lock();
  });
  EXPECT_EQ(*counter.lock(), 40'005);
}

}  // namespace
}  // namespace lade
