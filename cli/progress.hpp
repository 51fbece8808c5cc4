// Progress on standard error: bars on a terminal, plain lines elsewhere, or JSON events; in
// skopeo's words when called so. docs/progress.md describes the events.
#pragma once

#include "base/concurrency.hpp"
#include "base/observer.hpp"
#include "cli/arguments.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lade::cli {

/// Whether a progress for people ends with a line that sums up what was transferred, if anything
/// was; verbs that say more themselves do without. JSON events have theirs in any case.
enum class SummaryLine { totals, none };

/// The observer for a style; `automatic` looks whether standard error is a terminal.
std::unique_ptr<Observer> make_progress(ProgressStyle style,
                                        SummaryLine summary = SummaryLine::totals);

/// Tells of warnings only, as the program of that name does; for verbs that move no images.
std::unique_ptr<Observer> make_quiet_progress(ProgramName name);

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

/// The word for a kind of task: `fetch`.
std::string_view word_for(TaskKind kind);

/// A label for people: digests are cut to 12 digits, control characters escaped.
std::string short_label(std::string_view label);

/// Where a progress writes: all of a line at once.
using LineSink = std::function<void(std::string_view)>;

/// Running tasks, and a count of the finished ones. Not thread-safe.
class TaskList {
 public:
  TaskId add(TaskKind kind, std::string_view label, std::optional<std::uint64_t> total);
  /// The task, or nullptr.
  RunningTask* find(TaskId id);
  /// Takes the task out, and counts it if it moved a blob.
  RunningTask end(TaskId id, Outcome outcome);
  const std::vector<RunningTask>& running() const noexcept { return running_; }

  /// What was done so far.
  struct Totals {
    std::size_t images = 0;  ///< whose commit ended well
    std::size_t blobs_copied = 0;
    std::size_t blobs_reused = 0;
    std::size_t failed = 0;   ///< tasks that ended badly
    std::uint64_t bytes = 0;  ///< moved, whether their blob was finished or not
    std::chrono::milliseconds time{0};

    bool is_anything() const { return blobs_copied + blobs_reused + failed > 0; }
  };
  Totals totals() const;

 private:
  std::vector<RunningTask> running_;
  TaskId last_id_ = 0;
  Totals totals_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

/// `2 blobs, 3.4 MiB in 1.2 s; 1 already there`: a summary for people.
std::string summary_text(const TaskList::Totals& totals);

/// JSON events, one a line. A task's `advance` events are `interval` apart at least.
std::unique_ptr<Observer> make_json_progress(LineSink write, std::chrono::milliseconds interval);

/// skopeo's lines.
std::unique_ptr<Observer> make_skopeo_progress(LineSink write, LineSink write_log);

}  // namespace lade::cli
