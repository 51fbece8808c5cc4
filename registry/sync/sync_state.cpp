#include "registry/sync/sync_state.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <sys/stat.h>

namespace lade::registry {

namespace {

constexpr std::string_view k_head = "# lade sync state 1";
constexpr std::size_t k_cap = 256 * 1024 * 1024;

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string from_dash(const std::string& text) {
  return text == "-" ? "" : text;
}

/// The directory and the file name of a path.
std::pair<std::string, std::string> divide(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace

SyncState SyncState::load(const std::string& path) {
  SyncState state;
  state.path_ = path;
  std::string text;
  try {
    text = read_file(path, k_cap);
  } catch (const SystemError& error) {
    if (error.code() == ENOENT) return state;
    throw;
  }
  const auto malformed = [&]() -> InvalidData {
    return InvalidData(str(quoted(path), " is not a state file of lade sync"));
  };
  std::vector<std::string> lines = split(text, '\n');
  if (lines.front() != k_head) throw malformed();
  auto content = state.content_->lock();
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const auto words = split(lines[i], ' ');
    const auto digest = words.size() == 5 ? Digest::try_parse(words[1]) : std::nullopt;
    if (!digest) throw malformed();
    content->entries.insert_or_assign(
        words[0],
        SyncPresent{*digest,
                    {from_dash(words[4]), Digest::try_parse(words[2]), from_dash(words[3])}});
  }
  return state;
}

std::optional<SyncPresent> SyncState::find(const std::string& name) {
  auto content = content_->lock();
  const auto found = content->entries.find(name);
  if (found == content->entries.end()) return std::nullopt;
  return found->second;
}

void SyncState::set(const std::string& name, SyncPresent present) {
  auto content = content_->lock();
  const auto [found, is_new] = content->entries.try_emplace(name, present);
  if (!is_new && found->second == present) return;
  found->second = std::move(present);
  content->has_changed = true;
}

void SyncState::remove(const std::string& name) {
  auto content = content_->lock();
  content->has_changed = content->entries.erase(name) > 0 || content->has_changed;
}

void SyncState::save() {
  auto content = content_->lock();
  if (path_.empty() || !content->has_changed) return;
  std::string text = str(k_head, '\n');
  for (const auto& [name, present] : content->entries) {
    const MirrorRecord& record = present.record;
    text += str(name, ' ', present.digest.text(), ' ', record.digest ? record.digest->text() : "-",
                ' ', or_dash(record.selection), ' ', or_dash(record.origin), '\n');
  }
  const auto [directory, file] = divide(path_);
  Directory::open(directory).write_file(file, text, 0644);
  content->has_changed = false;
}

}  // namespace lade::registry
