// skopeo's lines for a transfer. They go to standard output, as that program's do, unless the image
// itself goes there.
#include "base/text.hpp"
#include "cli/log_line.hpp"
#include "cli/progress.hpp"

#include <utility>

namespace lade::cli {

namespace {

constexpr std::string_view k_config = "config ";

class SkopeoProgress final : public Observer {
 public:
  SkopeoProgress(LineSink write, LineSink write_log)
      : write_(std::move(write)), write_log_(std::move(write_log)) {}

  TaskId begin(TaskKind kind, std::string_view label,
               std::optional<std::uint64_t> total) noexcept override {
    auto state = state_.lock();
    const bool moves_blob = total && (kind == TaskKind::fetch || kind == TaskKind::push);
    if (moves_blob) say_blob(*state, label);
    return state->tasks.add(kind, label, total);
  }

  void advance(TaskId, std::uint64_t) noexcept override {}

  void end(TaskId id, Outcome outcome) noexcept override {
    auto state = state_.lock();
    const RunningTask task = state->tasks.end(id, outcome);
    // A manifest goes after all that it names.
    const bool is_last = task.kind == TaskKind::commit && outcome != Outcome::failed;
    if (is_last) say_manifest(*state);
  }

  void note(NoteLevel level, std::string_view text) noexcept override {
    if (level == NoteLevel::info) return;
    write_log_(log_line(LogLevel::warning, text, stderr_style()));
  }

 private:
  struct State {
    TaskList tasks;
    bool began = false;
    std::vector<std::string> configs;  ///< whose lines are still to come
  };

  void say_blob(State& state, std::string_view label) {
    if (!state.began) write_("Getting image source signatures\n");
    state.began = true;
    if (label.starts_with(k_config)) {
      // A configuration goes after the layers there, whatever lade does first.
      state.configs.push_back(printable(label));
    } else {
      write_(str("Copying blob ", printable(label), '\n'));
    }
  }

  void say_manifest(State& state) {
    if (!state.began) write_("Getting image source signatures\n");
    state.began = false;
    for (const std::string& config : std::exchange(state.configs, {})) {
      write_(str("Copying ", config, '\n'));
    }
    write_("Writing manifest to image destination\n");
  }

  LineSink write_;
  LineSink write_log_;
  Sync<State> state_;
};

}  // namespace

std::unique_ptr<Observer> make_skopeo_progress(LineSink write, LineSink write_log) {
  return std::make_unique<SkopeoProgress>(std::move(write), std::move(write_log));
}

}  // namespace lade::cli
