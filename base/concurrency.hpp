// Structured concurrency: shared state only inside Sync<T>, threads only inside parallel_for_each.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <stop_token>

namespace lade {

/// A value that can only be reached with its lock held: `auto state = sync.lock(); state->field`.
template <class T>
class Sync {
 public:
  Sync() = default;
  template <class... Args>
  explicit Sync(std::in_place_t, Args&&... args) : value_(std::forward<Args>(args)...) {}

  class Locked {
   public:
    explicit Locked(Sync& owner) : lock_(owner.mutex_), value_(owner.value_) {}
    T* operator->() { return &value_; }
    T& operator*() { return value_; }
    /// For condition_variable_any::wait.
    std::unique_lock<std::mutex>& guard() { return lock_; }

   private:
    std::unique_lock<std::mutex> lock_;
    T& value_;
  };

  Locked lock() { return Locked(*this); }

 private:
  std::mutex mutex_;
  T value_{};
};

/// Calls work(index, stop) for every index below `count` on at most `jobs` threads and waits for
/// all of them. The first exception asks the others to stop and is rethrown here. With one job or
/// one item it runs in the caller's thread. Throws Cancelled if `stop` was requested.
void parallel_for_each(std::size_t count, std::size_t jobs, const std::stop_token& stop,
                       const std::function<void(std::size_t, const std::stop_token&)>& work);

}  // namespace lade
