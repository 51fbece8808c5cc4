#include "cli/progress.hpp"

#include "base/text.hpp"
#include "cli/output.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace lade::cli {

namespace {

using Clock = std::chrono::steady_clock;

std::string_view verb_for(TaskKind kind) {
  switch (kind) {
    case TaskKind::resolve:
      return "resolve";
    case TaskKind::fetch:
      return "fetch";
    case TaskKind::unpack:
      return "unpack";
    case TaskKind::push:
      return "push";
    case TaskKind::sync:
      return "sync";
    case TaskKind::commit:
      return "commit";
  }
  return "work";
}

std::string outcome_line(const RunningTask& task, Outcome outcome) {
  std::string line = str(verb_for(task.kind), ' ', printable(task.label));
  switch (outcome) {
    case Outcome::done:
      return task.done > 0 ? str(line, ": done, ", human_size(task.done)) : line + ": done";
    case Outcome::reused:
      return line + ": already here";
    case Outcome::failed:
      return line + ": stopped";
  }
  return line;
}

/// Only what may need attention carries the program's name, as errors do.
std::string note_line(NoteLevel level, std::string_view text) {
  return str(level == NoteLevel::warning ? "lade: warning: " : "", printable(text), '\n');
}

/// Finds a task by its id and takes it out.
RunningTask take(std::vector<RunningTask>& tasks, TaskId id) {
  const auto it = std::find_if(tasks.begin(), tasks.end(),
                               [id](const RunningTask& task) { return task.id == id; });
  if (it == tasks.end()) return {};
  RunningTask task = std::move(*it);
  tasks.erase(it);
  return task;
}

void add(std::vector<RunningTask>& tasks, TaskId id, std::uint64_t bytes) {
  for (RunningTask& task : tasks) {
    if (task.id == id) task.done += bytes;
  }
}

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

/// Keeps a block of lines, one a running task, at the bottom of the terminal.
class BarProgress final : public Observer {
 public:
  ~BarProgress() override {
    auto state = state_.lock();
    erase(*state);
  }

  TaskId begin(TaskKind kind, std::string_view label,
               std::optional<std::uint64_t> total) noexcept override {
    auto state = state_.lock();
    const TaskId id = ++state->last_id;
    state->tasks.push_back({id, kind, std::string(label), total, 0});
    draw(*state);
    return id;
  }

  void advance(TaskId id, std::uint64_t bytes) noexcept override {
    auto state = state_.lock();
    add(state->tasks, id, bytes);
    if (Clock::now() - state->drawn >= std::chrono::milliseconds(100)) draw(*state);
  }

  void end(TaskId id, Outcome outcome) noexcept override {
    auto state = state_.lock();
    const RunningTask task = take(state->tasks, id);
    erase(*state);
    // A task without bytes (resolving, committing) was worth showing only while it ran.
    if (task.total && outcome != Outcome::failed) {
      write_message(outcome_line(task, outcome).substr(0, terminal_width()) + "\n");
    }
    draw(*state);
  }

  void note(NoteLevel level, std::string_view text) noexcept override {
    auto state = state_.lock();
    erase(*state);
    write_message(note_line(level, text));
    draw(*state);
  }

 private:
  struct State {
    std::vector<RunningTask> tasks;
    TaskId last_id = 0;
    std::size_t lines = 0;
    Clock::time_point drawn;
  };

  static void erase(State& state) {
    if (state.lines > 0) write_message(str("\x1b[", state.lines, "A\x1b[J"));
    state.lines = 0;
  }

  static void draw(State& state) {
    const std::size_t width = terminal_width();
    std::string block = state.lines > 0 ? str("\x1b[", state.lines, "A\x1b[J") : std::string();
    for (const RunningTask& task : state.tasks) block += bar_line(task, width) + "\n";
    state.lines = state.tasks.size();
    state.drawn = Clock::now();
    write_message(block);
  }

  Sync<State> state_;
};

/// A line when a task ends, and one every few seconds while nothing ends.
class PlainProgress final : public Observer {
 public:
  TaskId begin(TaskKind kind, std::string_view label,
               std::optional<std::uint64_t> total) noexcept override {
    auto state = state_.lock();
    const TaskId id = ++state->last_id;
    state->tasks.push_back({id, kind, std::string(label), total, 0});
    return id;
  }

  void advance(TaskId id, std::uint64_t bytes) noexcept override {
    auto state = state_.lock();
    add(state->tasks, id, bytes);
    if (Clock::now() - state->spoke < std::chrono::seconds(5)) return;
    state->spoke = Clock::now();
    for (const RunningTask& task : state->tasks) {
      const std::string total = task.total ? " of " + human_size(*task.total) : std::string();
      write_message(str(verb_for(task.kind), ' ', printable(task.label), ": ",
                        human_size(task.done), total, '\n'));
    }
  }

  void end(TaskId id, Outcome outcome) noexcept override {
    auto state = state_.lock();
    const RunningTask task = take(state->tasks, id);
    if (!task.total || outcome == Outcome::failed) return;
    state->spoke = Clock::now();
    write_message(outcome_line(task, outcome) + "\n");
  }

  void note(NoteLevel level, std::string_view text) noexcept override {
    write_message(note_line(level, text));
  }

 private:
  struct State {
    std::vector<RunningTask> tasks;
    TaskId last_id = 0;
    Clock::time_point spoke = Clock::now();
  };
  Sync<State> state_;
};

/// Warnings only.
class QuietProgress final : public Observer {
 public:
  TaskId begin(TaskKind, std::string_view, std::optional<std::uint64_t>) noexcept override {
    return 0;
  }
  void advance(TaskId, std::uint64_t) noexcept override {}
  void end(TaskId, Outcome) noexcept override {}
  void note(NoteLevel level, std::string_view text) noexcept override {
    if (level == NoteLevel::warning) write_message(note_line(level, text));
  }
};

}  // namespace

std::string bar_line(const RunningTask& task, std::size_t width) {
  const std::string head = str(verb_for(task.kind), ' ', printable(task.label));
  if (!task.total) return str(head, " ...").substr(0, width);
  const std::string bytes = str(human_size(task.done), " / ", human_size(*task.total));
  const std::size_t fixed = head.size() + bytes.size() + 5;
  const std::uint64_t total = std::max<std::uint64_t>(*task.total, 1);
  if (head.size() + 2 + bytes.size() > width) {
    const std::string percent = str(std::min(task.done, total) * 100 / total, '%');
    return str(head, "  ", percent).substr(0, width);
  }
  if (fixed + 10 > width) return str(head, "  ", bytes);

  const std::size_t room = std::min<std::size_t>(width - fixed, 40);
  const auto filled =
      static_cast<std::size_t>(static_cast<double>(std::min(task.done, total)) /
                               static_cast<double>(total) * static_cast<double>(room));
  return str(head, " [", std::string(filled, '='), std::string(room - filled, ' '), "] ", bytes);
}

std::unique_ptr<Observer> make_progress(ProgressStyle style) {
  if (style == ProgressStyle::automatic) {
    style = ::isatty(STDERR_FILENO) != 0 ? ProgressStyle::bar : ProgressStyle::plain;
  }
  switch (style) {
    case ProgressStyle::bar:
      return std::make_unique<BarProgress>();
    case ProgressStyle::plain:
      return std::make_unique<PlainProgress>();
    default:
      return std::make_unique<QuietProgress>();
  }
}

}  // namespace lade::cli
