#include "cli/progress.hpp"

#include "base/text.hpp"
#include "cli/log_line.hpp"
#include "cli/output.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace lade::cli {

namespace {

using Clock = std::chrono::steady_clock;

/// Of the same task, at least.
constexpr std::chrono::milliseconds k_event_interval{100};

std::string outcome_line(const RunningTask& task, Outcome outcome) {
  std::string line = str(word_for(task.kind), ' ', short_label(task.label));
  switch (outcome) {
    case Outcome::done:
      return task.done > 0 ? str(line, ": done, ", human_size(task.done)) : line + ": done";
    case Outcome::reused:
      return line + (task.kind == TaskKind::push ? ": already there" : ": already here");
    case Outcome::failed:
      return line + ": stopped";
  }
  return line;
}

/// Only what may need attention carries the program's name, as errors do.
std::string note_line(NoteLevel level, std::string_view text) {
  return str(level == NoteLevel::warning ? "lade: warning: " : "", printable(text), '\n');
}

/// The last line of a progress for people.
void write_summary(const TaskList& tasks, SummaryLine summary) {
  if (summary == SummaryLine::none) return;
  const TaskList::Totals totals = tasks.totals();
  if (totals.is_anything()) write_message(summary_text(totals) + "\n");
}

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

/// Keeps a block of lines, one a running task, at the bottom of the terminal.
class BarProgress final : public Observer {
 public:
  explicit BarProgress(SummaryLine summary) : summary_(summary) {}
  ~BarProgress() override {
    auto state = state_.lock();
    erase(*state);
    write_summary(state->tasks, summary_);
  }

  TaskId begin(TaskKind kind, std::string_view label,
               std::optional<std::uint64_t> total) noexcept override {
    auto state = state_.lock();
    const TaskId id = state->tasks.add(kind, label, total);
    draw(*state);
    return id;
  }

  void advance(TaskId id, std::uint64_t bytes) noexcept override {
    auto state = state_.lock();
    if (RunningTask* task = state->tasks.find(id)) task->done += bytes;
    if (Clock::now() - state->drawn >= std::chrono::milliseconds(100)) draw(*state);
  }

  void end(TaskId id, Outcome outcome) noexcept override {
    auto state = state_.lock();
    const RunningTask task = state->tasks.end(id, outcome);
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
    TaskList tasks;
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
    for (const RunningTask& task : state.tasks.running()) block += bar_line(task, width) + "\n";
    state.lines = state.tasks.running().size();
    state.drawn = Clock::now();
    write_message(block);
  }

  SummaryLine summary_;
  Sync<State> state_;
};

/// A line when a task ends, and one every few seconds while nothing ends.
class PlainProgress final : public Observer {
 public:
  explicit PlainProgress(SummaryLine summary) : summary_(summary) {}
  ~PlainProgress() override {
    auto state = state_.lock();
    write_summary(state->tasks, summary_);
  }

  TaskId begin(TaskKind kind, std::string_view label,
               std::optional<std::uint64_t> total) noexcept override {
    auto state = state_.lock();
    return state->tasks.add(kind, label, total);
  }

  void advance(TaskId id, std::uint64_t bytes) noexcept override {
    auto state = state_.lock();
    if (RunningTask* task = state->tasks.find(id)) task->done += bytes;
    if (Clock::now() - state->spoke < std::chrono::seconds(5)) return;
    state->spoke = Clock::now();
    for (const RunningTask& task : state->tasks.running()) {
      const std::string total = task.total ? " of " + human_size(*task.total) : std::string();
      write_message(str(word_for(task.kind), ' ', short_label(task.label), ": ",
                        human_size(task.done), total, '\n'));
    }
  }

  void end(TaskId id, Outcome outcome) noexcept override {
    auto state = state_.lock();
    const RunningTask task = state->tasks.end(id, outcome);
    if (!task.total || outcome == Outcome::failed) return;
    state->spoke = Clock::now();
    write_message(outcome_line(task, outcome) + "\n");
  }

  void note(NoteLevel level, std::string_view text) noexcept override {
    write_message(note_line(level, text));
  }

 private:
  struct State {
    TaskList tasks;
    Clock::time_point spoke = Clock::now();
  };

  SummaryLine summary_;
  Sync<State> state_;
};

/// Warnings only.
class QuietProgress final : public Observer {
 public:
  explicit QuietProgress(ProgramName name) : name_(name) {}

  TaskId begin(TaskKind, std::string_view, std::optional<std::uint64_t>) noexcept override {
    return 0;
  }
  void advance(TaskId, std::uint64_t) noexcept override {}
  void end(TaskId, Outcome) noexcept override {}
  void note(NoteLevel level, std::string_view text) noexcept override {
    if (level != NoteLevel::warning) return;
    if (name_ == ProgramName::umoci) return write_message(str("   \xe2\x80\xa2 ", text, '\n'));
    write_message(name_ == ProgramName::skopeo ? log_line(LogLevel::warning, text, stderr_style())
                                               : note_line(level, text));
  }

 private:
  ProgramName name_;
};

}  // namespace

std::string bar_line(const RunningTask& task, std::size_t width) {
  const std::string head = str(word_for(task.kind), ' ', short_label(task.label));
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

std::unique_ptr<Observer> make_quiet_progress(ProgramName name) {
  return std::make_unique<QuietProgress>(name);
}

std::unique_ptr<Observer> make_progress(ProgressStyle style, SummaryLine summary) {
  if (style == ProgressStyle::automatic) {
    style = ::isatty(STDERR_FILENO) != 0 ? ProgressStyle::bar : ProgressStyle::plain;
  }
  switch (style) {
    case ProgressStyle::bar:
      return std::make_unique<BarProgress>(summary);
    case ProgressStyle::plain:
      return std::make_unique<PlainProgress>(summary);
    case ProgressStyle::json:
      return make_json_progress(write_message, k_event_interval);
    case ProgressStyle::skopeo:
      return make_skopeo_progress(write_result, write_message);
    case ProgressStyle::skopeo_on_stderr:
      return make_skopeo_progress(write_message, write_message);
    default:
      return make_quiet_progress(ProgramName::lade);
  }
}

}  // namespace lade::cli
