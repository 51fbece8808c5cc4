// How library code tells what it is doing: to an Observer, never to a stream. `Job` is the one
// ambient parameter of everything that takes long: when to stop, and whom to tell.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string_view>

namespace lade {

enum class TaskKind { resolve, fetch, unpack, push, sync, commit, verify };
enum class Outcome { done, reused, failed };
enum class NoteLevel { info, warning };

/// Names one task between begin() and end().
using TaskId = std::uint64_t;

/// Hears about progress. THREADS: called from any thread; implementations lock. Never throws.
class Observer {
 public:
  virtual ~Observer() = default;
  /// A task starts; `total` bytes if known.
  virtual TaskId begin(TaskKind kind, std::string_view label,
                       std::optional<std::uint64_t> total) noexcept = 0;
  /// `bytes` more of it are done.
  virtual void advance(TaskId id, std::uint64_t bytes) noexcept = 0;
  /// The task is over.
  virtual void end(TaskId id, Outcome outcome) noexcept = 0;
  /// Something that the user should know and that is not an error.
  virtual void note(NoteLevel level, std::string_view text) noexcept = 0;
};

/// Hears nothing.
class NullObserver final : public Observer {
 public:
  TaskId begin(TaskKind, std::string_view, std::optional<std::uint64_t>) noexcept override {
    return 0;
  }
  void advance(TaskId, std::uint64_t) noexcept override {}
  void end(TaskId, Outcome) noexcept override {}
  void note(NoteLevel, std::string_view) noexcept override {}
};

/// What travels with long work.
struct Job {
  std::stop_token stop;
  Observer& observer;
};

/// One task as a scope: begins in the constructor, ends as failed unless finish() was called.
class Task {
 public:
  Task(Observer& observer, TaskKind kind, std::string_view label,
       std::optional<std::uint64_t> total = {})
      : observer_(observer), id_(observer.begin(kind, label, total)) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (!finished_) observer_.end(id_, Outcome::failed);
  }

  void advance(std::uint64_t bytes) noexcept { observer_.advance(id_, bytes); }
  void finish(Outcome outcome = Outcome::done) noexcept {
    finished_ = true;
    observer_.end(id_, outcome);
  }

 private:
  Observer& observer_;
  TaskId id_;
  bool finished_ = false;
};

}  // namespace lade
