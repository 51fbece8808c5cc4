#include "registry/sync/sync_state.hpp"

#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace lade::registry {

namespace {

constexpr std::string_view k_head = "# lade sync state 2";
/// Has no times.
constexpr std::string_view k_old_head = "# lade sync state 1";
constexpr std::size_t k_cap = 256 * 1024 * 1024;

using Entries = std::map<std::string, SyncPresent>;

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string from_dash(const std::string& text) {
  return text == "-" ? "" : text;
}

/// Takes over what a line says; whether it says anything.
bool take_line(const std::string& line, Entries& entries) {
  const auto words = split(line, ' ');
  if (words[0].empty()) return false;
  if (words.size() == 2 && words[1] == "-") {
    entries.erase(words[0]);
    return true;
  }
  if (words.size() != 5 && words.size() != 6) return false;
  const auto digest = Digest::try_parse(words[1]);
  const auto source = Digest::try_parse(words[2]);
  const auto seen = words.size() == 6 ? parse_number<std::int64_t>(words[5]) : 0;
  if (!digest || (!source && words[2] != "-") || !seen) return false;
  entries.insert_or_assign(
      words[0], SyncPresent{*digest, {from_dash(words[4]), source, from_dash(words[3])}, *seen});
  return true;
}

/// The directory and the file name of a path.
std::pair<std::string, std::string> divide(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

/// The directory of a state file, for as long as nobody else may change the file.
class LockedDirectory {
 public:
  explicit LockedDirectory(const std::string& path) : directory_(Directory::open(path)) {
    check_syscall(::flock(directory_.fd(), LOCK_EX), [&] { return str("lock ", quoted(path)); });
  }
  const Directory& operator*() const { return directory_; }
  const Directory* operator->() const { return &directory_; }

 private:
  Directory directory_;
};

}  // namespace

Entries SyncState::parse(std::string_view text, std::string_view document) {
  const auto malformed = [&]() -> InvalidData {
    return InvalidData(str(quoted(document), " is not a state file of lade sync"));
  };
  const std::vector<std::string> lines = split(text, '\n');
  if (lines.front() != k_head && lines.front() != k_old_head) throw malformed();
  Entries entries;
  // What follows the last line's end was cut short by a loss of power.
  for (std::size_t i = 1; i + 1 < lines.size(); ++i) {
    if (!lines[i].empty() && !take_line(lines[i], entries)) throw malformed();
  }
  return entries;
}

std::string SyncState::print(const Entries& entries) {
  std::string text = str(k_head, '\n');
  for (const auto& [name, present] : entries) {
    const MirrorRecord& record = present.record;
    text +=
        str(name, ' ', present.digest.text(), ' ', record.digest ? record.digest->text() : "-", ' ',
            or_dash(record.selection), ' ', or_dash(record.origin), ' ', present.seen, '\n');
  }
  return text;
}

Entries SyncState::read_file_now() const {
  try {
    return parse(read_file(path_, k_cap), path_);
  } catch (const SystemError& error) {
    if (error.code() == ENOENT) return {};
    throw;
  }
}

SyncState SyncState::load(const std::string& path) {
  SyncState state;
  state.path_ = path;
  state.content_->lock()->entries = state.read_file_now();
  return state;
}

SyncState SyncState::load_or_forget(const std::string& path) {
  SyncState state;
  state.path_ = path;
  try {
    state.content_->lock()->entries = state.read_file_now();
  } catch (const InvalidData&) {
    Directory::open(divide(path).first).remove_file(divide(path).second);
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
  found->second = present;
  content->unsaved.insert_or_assign(name, std::move(present));
}

void SyncState::forget(const std::string& name) {
  auto content = content_->lock();
  content->unsaved.erase(name);
  if (content->entries.erase(name) == 0 || path_.empty()) return;
  const auto [parent, file_name] = divide(path_);
  const LockedDirectory directory(parent);
  try {
    const auto file = directory->find_file(file_name, O_WRONLY | O_APPEND);
    if (!file) return;
    write_all(*file, as_bytes(str(name, " -\n")), path_);
    check_syscall(::fdatasync(file->get()), [&] { return str("sync ", quoted(path_)); });
  } catch (const SystemError&) {
    // Without room for a line: what is not known is asked for.
    directory->remove_file(file_name);
  }
}

void SyncState::save() {
  auto content = content_->lock();
  if (path_.empty() || content->unsaved.empty()) return;
  const auto [parent, file_name] = divide(path_);
  const LockedDirectory directory(parent);
  Entries entries;
  try {
    entries = read_file_now();
  } catch (const InvalidData&) {
    // It was ours when it was read.
    entries.clear();
  }
  for (const auto& [name, present] : content->unsaved) entries.insert_or_assign(name, present);
  directory->write_file(file_name, print(entries), 0644);
  content->unsaved.clear();
}

SyncMemory SyncMemory::in_file(const std::string& path) {
  SyncMemory memory;
  *memory.file_ = SyncState::load(path);
  return memory;
}

SyncMemory SyncMemory::in_directory(const std::string& path) {
  const Directory directory = Directory::ensure(path, 0700);
  check_syscall(::faccessat(directory.fd(), ".", W_OK, AT_EACCESS),
                [&] { return str("write to ", quoted(path)); });
  SyncMemory memory;
  memory.directory_ = path;
  return memory;
}

SyncState& SyncMemory::of(const Reference& repository) {
  if (directory_.empty()) return *file_;
  const std::string file = Digest::of(repository.repository()).hex();
  auto repositories = repositories_->lock();
  const auto known = repositories->find(file);
  if (known != repositories->end()) return known->second;
  return repositories->emplace(file, SyncState::load_or_forget(str(directory_, '/', file)))
      .first->second;
}

void SyncMemory::save() {
  file_->save();
  auto repositories = repositories_->lock();
  for (auto& [file, state] : *repositories) {
    try {
      state.save();
    } catch (const SystemError&) {
      continue;  // what is not kept is asked for the next time
    }
  }
}

}  // namespace lade::registry
