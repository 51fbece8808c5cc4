// Bounded waiting for a cgroup to change.
#pragma once

#include "base/directory.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace lade::runner {

/// A deadline, and ways of waiting that respect it.
class Patience {
 public:
  explicit Patience(std::chrono::milliseconds patience)
      : end_(std::chrono::steady_clock::now() + patience) {}

  bool is_over() const { return std::chrono::steady_clock::now() >= end_; }

  /// Sleeps: 50 microseconds at first, then longer each time up to 10 ms.
  void a_little();

  /// Waits until the line `key` of a version 2 events file is `value`, or until the patience is
  /// over, or 100 ms at most. Whether it is.
  bool for_event(const Directory& cgroup, const std::string& file, const std::string& key,
                 std::uint64_t value);

 private:
  std::chrono::steady_clock::time_point end_;
  std::chrono::microseconds next_{50};
};

}  // namespace lade::runner
