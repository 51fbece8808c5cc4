#include "store/name_journal.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <optional>

namespace lade::store {

namespace {

constexpr const char* k_file = "names";
constexpr std::size_t k_cap = std::size_t{64} << 20;
/// Beyond it the next change writes the file anew, which holds each name once.
constexpr off_t k_most = off_t{4} << 20;

std::optional<Reference> try_reference(const std::string& text) {
  try {
    return Reference::parse(text);
  } catch (const UsageError&) {
    return std::nullopt;
  }
}

void replay_line(const std::string& line, NameHistory& history) {
  const auto words = split(line, ' ');
  if (words.size() == 2 && (words[0] == "forget" || words[0] == "keep")) {
    const auto image = Digest::try_parse(words[1]);
    if (!image) return;
    history.forgotten.erase(*image);
    if (words[0] == "keep") return;
    std::erase_if(history.names, [&](const auto& each) { return each.second == *image; });
    history.forgotten.insert(*image);
    return;
  }
  const auto name = words.size() >= 2 ? try_reference(words[1]) : std::nullopt;
  if (!name) return;
  if (words.size() == 2 && words[0] == "drop") history.names.erase(*name);
  if (words.size() == 3 && words[0] == "set") {
    const auto image = Digest::try_parse(words[2]);
    if (!image) return;
    history.names.insert_or_assign(*name, *image);
    history.forgotten.erase(*image);
  }
}

}  // namespace

void NameChanges::set(const Reference& name, const Digest& image) {
  text_ += str("set ", name.text(), ' ', image.text(), '\n');
}

void NameChanges::drop(const Reference& name) {
  text_ += str("drop ", name.text(), '\n');
}

void NameChanges::keep(const Digest& image) {
  text_ += str("keep ", image.text(), '\n');
}

void NameChanges::forget(const Digest& image) {
  text_ += str("forget ", image.text(), '\n');
}

NameHistory replay_names(const std::string& text) {
  NameHistory history;
  // What comes after the last newline was not written to its end.
  const std::size_t end = text.rfind('\n');
  if (end == std::string::npos) return history;
  for (const std::string& line : split(std::string_view(text).substr(0, end), '\n')) {
    replay_line(line, history);
  }
  return history;
}

NameHistory read_name_journal(const Directory& root) {
  const auto st = root.find_stat(k_file);
  if (!st || !S_ISREG(st->st_mode)) return {};
  return replay_names(
      read_whole(root.open_file(k_file, O_RDONLY | O_NONBLOCK), k_cap, root.path_of(k_file)));
}

bool has_name_journal(const Directory& root) {
  const auto st = root.find_stat(k_file);
  return st && S_ISREG(st->st_mode) && st->st_size <= k_most;
}

void append_to_name_journal(const Directory& root, const NameChanges& changes) {
  try {
    const Fd file = root.open_file(k_file, O_RDWR | O_APPEND | O_NONBLOCK);
    const struct stat st = stat_of(file, root.path_of(k_file));
    char last = '\n';
    if (st.st_size > 0 && ::pread(file.get(), &last, 1, st.st_size - 1) != 1) last = '\n';
    const std::string text = last == '\n' ? changes.text() : '\n' + changes.text();
    write_all(file, as_bytes(text), root.path_of(k_file));
  } catch (const SystemError&) {
    // Rather none than one that lacks a change; the next change writes it anew.
    root.remove_file(k_file);
  }
}

void rewrite_name_journal(const Directory& root, const NameTable& names) {
  NameChanges all;
  for (const auto& [name, image] : names) all.set(name, image);
  const auto st = root.find_stat(k_file);
  if (st && S_ISDIR(st->st_mode)) root.remove_tree(k_file);
  root.write_file(k_file, all.text(), 0600);
}

}  // namespace lade::store
