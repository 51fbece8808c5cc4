// Progress for programs: docs/progress.md.
#include "base/template/text_form.hpp"
#include "base/text.hpp"
#include "cli/progress.hpp"

#include <map>

namespace lade::cli {

namespace {

using Clock = std::chrono::steady_clock;

std::string_view word_for(Outcome outcome) {
  switch (outcome) {
    case Outcome::done:
      return "done";
    case Outcome::reused:
      return "reused";
    case Outcome::failed:
      return "failed";
  }
  return "";
}

/// The members that every event of a task has.
std::string task_members(std::string_view event, const RunningTask& task) {
  const std::string total = task.total ? std::to_string(*task.total) : "null";
  return str(R"({"event":")", event, R"(","task":)", task.id, R"(,"kind":")",
             cli::word_for(task.kind), R"(","label":)",
             go::json_string(task.label, go::Html::plain), R"(,"done":)", task.done, R"(,"total":)",
             total);
}

class JsonProgress final : public Observer {
 public:
  JsonProgress(LineSink write, std::chrono::milliseconds interval)
      : write_(std::move(write)), interval_(interval) {}

  ~JsonProgress() override {
    auto state = state_.lock();
    const TaskList::Totals totals = state->tasks.totals();
    if (!totals.is_anything()) return;
    const auto milliseconds = totals.time.count();
    const std::string thousandths = std::to_string(1000 + milliseconds % 1000).substr(1);
    write_(str(R"({"event":"summary","images":)", totals.images, R"(,"blobs_copied":)",
               totals.blobs_copied, R"(,"blobs_reused":)", totals.blobs_reused, R"(,"bytes":)",
               totals.bytes, R"(,"seconds":)", milliseconds / 1000, '.', thousandths,
               R"(,"failed":)", totals.failed, "}\n"));
  }

  TaskId begin(TaskKind kind, std::string_view label,
               std::optional<std::uint64_t> total) noexcept override {
    auto state = state_.lock();
    const TaskId id = state->tasks.add(kind, label, total);
    state->said[id] = Clock::now();
    write_(task_members("begin", *state->tasks.find(id)) + "}\n");
    return id;
  }

  void advance(TaskId id, std::uint64_t bytes) noexcept override {
    auto state = state_.lock();
    RunningTask* task = state->tasks.find(id);
    if (task == nullptr) return;
    task->done += bytes;
    const auto now = Clock::now();
    if (now - state->said[id] < interval_) return;
    state->said[id] = now;
    write_(task_members("advance", *task) + "}\n");
  }

  void end(TaskId id, Outcome outcome) noexcept override {
    auto state = state_.lock();
    const RunningTask task = state->tasks.end(id, outcome);
    state->said.erase(id);
    if (task.id == 0) return;
    write_(str(task_members("end", task), R"(,"outcome":")", word_for(outcome), "\"}\n"));
  }

  void note(NoteLevel level, std::string_view text) noexcept override {
    auto state = state_.lock();  // lines do not mix
    write_(str(R"({"event":"note","level":")", level == NoteLevel::warning ? "warning" : "info",
               R"(","text":)", go::json_string(text, go::Html::plain), "}\n"));
  }

 private:
  struct State {
    TaskList tasks;
    std::map<TaskId, Clock::time_point> said;
  };
  LineSink write_;
  std::chrono::milliseconds interval_;
  Sync<State> state_;
};

}  // namespace

std::unique_ptr<Observer> make_json_progress(LineSink write, std::chrono::milliseconds interval) {
  return std::make_unique<JsonProgress>(std::move(write), interval);
}

}  // namespace lade::cli
