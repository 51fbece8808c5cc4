#include "base/concurrency.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <exception>
#include <thread>
#include <vector>

namespace lade {

namespace {

/// What the workers of one parallel_for_each share.
struct Progress {
  std::size_t next = 0;
  std::exception_ptr failure;
};

}  // namespace

void parallel_for_each(std::size_t count, std::size_t jobs, const std::stop_token& stop,
                       const std::function<void(std::size_t, const std::stop_token&)>& work) {
  std::stop_source inner;
  const std::stop_callback relay(stop, [&inner] { inner.request_stop(); });
  Sync<Progress> progress;

  const auto worker = [&] {
    for (;;) {
      std::size_t index = 0;
      {
        auto state = progress.lock();
        if (state->failure || inner.stop_requested() || state->next == count) return;
        index = state->next++;
      }
      try {
        work(index, inner.get_token());
      } catch (...) {
        auto state = progress.lock();
        // Later ones are mostly the Cancelled that the first one caused.
        if (!state->failure) state->failure = std::current_exception();
        inner.request_stop();
        return;
      }
    }
  };

  {
    std::vector<std::jthread> helpers;
    const std::size_t wanted = std::min(std::max<std::size_t>(jobs, 1), count);
    for (std::size_t i = 1; i < wanted; ++i) helpers.emplace_back(worker);
    worker();
  }
  if (const auto failure = progress.lock()->failure) std::rethrow_exception(failure);
  if (stop.stop_requested()) throw Cancelled();
}

}  // namespace lade
