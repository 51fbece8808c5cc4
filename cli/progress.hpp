// Progress on standard error: bars on a terminal, plain lines elsewhere.
#pragma once

#include "base/concurrency.hpp"
#include "base/observer.hpp"
#include "cli/arguments.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace lade::cli {

/// The observer for a style; `automatic` looks whether standard error is a terminal.
std::unique_ptr<Observer> make_progress(ProgressStyle style);

/// What is known of one running task.
struct RunningTask {
  TaskId id = 0;
  TaskKind kind = TaskKind::fetch;
  std::string label;
  std::optional<std::uint64_t> total;
  std::uint64_t done = 0;
};

/// One line for a task that fits `width` columns: label, what is done, bar, bytes. Narrow terminals
/// lose the bar first, then have a percentage for the bytes; below that the line is cut.
std::string bar_line(const RunningTask& task, std::size_t width);

}  // namespace lade::cli
