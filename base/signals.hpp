// SIGINT, SIGTERM and SIGHUP become a stop request, handled in ordinary code.
#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

namespace lade {

/// While it lives, the first interrupting signal requests a stop; a second one ends the process at
/// once as if it had not been caught. Its thread is gone after destruction, and the signals are
/// unblocked. Construct it before any other thread, so that they all inherit the blocked mask.
class InterruptWatch {
 public:
  InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;
  ~InterruptWatch();

  /// Requested when a signal came.
  std::stop_token stop() const noexcept { return source_.get_token(); }

 private:
  void watch();

  std::stop_source source_;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

}  // namespace lade
