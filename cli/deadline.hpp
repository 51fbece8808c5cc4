// A deadline for the whole command.
#pragma once

#include <time.h>

#include <chrono>

namespace lade::cli {

/// Interrupts the process, as Ctrl-C does, when the time is over; not if it is destroyed before.
class Deadline {
 public:
  /// 0: never. Throws SystemError.
  explicit Deadline(std::chrono::milliseconds after);
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline();

  /// Whether there was one and it is over.
  bool is_over() const;

 private:
  std::chrono::milliseconds after_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  timer_t timer_{};
};

}  // namespace lade::cli
