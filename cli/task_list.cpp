#include "base/text.hpp"
#include "cli/progress.hpp"

#include <algorithm>

namespace lade::cli {

namespace {

bool moves_blob(const RunningTask& task) {
  return task.total && (task.kind == TaskKind::fetch || task.kind == TaskKind::push);
}

std::string seconds_text(std::chrono::milliseconds time) {
  return str(time.count() / 1000, '.', time.count() / 100 % 10, " s");
}

std::string counted(std::size_t count, std::string_view what) {
  return str(count, ' ', what, count == 1 ? "" : "s");
}

}  // namespace

std::string_view word_for(TaskKind kind) {
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
    case TaskKind::verify:
      return "verify";
  }
  return "work";
}

std::string short_label(std::string_view label) {
  constexpr std::size_t k_shown = 12;
  const std::size_t at = label.find("sha256:");
  if (at == std::string_view::npos) return printable(label);
  return printable(str(label.substr(0, at), label.substr(at + 7, k_shown),
                       label.substr(std::min(at + 7 + 64, label.size()))));
}

TaskId TaskList::add(TaskKind kind, std::string_view label, std::optional<std::uint64_t> total) {
  running_.push_back({++last_id_, kind, std::string(label), total, 0});
  return last_id_;
}

RunningTask* TaskList::find(TaskId id) {
  const auto it = std::find_if(running_.begin(), running_.end(),
                               [id](const RunningTask& task) { return task.id == id; });
  return it == running_.end() ? nullptr : &*it;
}

RunningTask TaskList::end(TaskId id, Outcome outcome) {
  const RunningTask* found = find(id);
  if (found == nullptr) return {};
  RunningTask task = *found;
  running_.erase(running_.begin() + (found - running_.data()));
  if (outcome == Outcome::failed) ++totals_.failed;
  if (task.kind == TaskKind::commit && outcome == Outcome::done) ++totals_.images;
  if (moves_blob(task)) {
    totals_.bytes += task.done;
    if (outcome == Outcome::done) ++totals_.blobs_copied;
    if (outcome == Outcome::reused) ++totals_.blobs_reused;
  }
  return task;
}

TaskList::Totals TaskList::totals() const {
  Totals totals = totals_;
  for (const RunningTask& task : running_) {
    if (moves_blob(task)) totals.bytes += task.done;
  }
  totals.time = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began_);
  return totals;
}

std::string summary_text(const TaskList::Totals& totals) {
  std::string text;
  if (totals.images > 0) text = counted(totals.images, "image") + ", ";
  text += str(counted(totals.blobs_copied, "blob"), " copied, ", human_size(totals.bytes), " in ",
              seconds_text(totals.time));
  if (totals.blobs_reused > 0) text += str("; ", totals.blobs_reused, " already there");
  if (totals.failed > 0) text += str("; ", totals.failed, " failed");
  return text;
}

}  // namespace lade::cli
