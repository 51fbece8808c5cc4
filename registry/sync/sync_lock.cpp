#include "registry/sync/sync_lock.hpp"

#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace lade::registry {

namespace {

constexpr std::string_view k_head = "# lade sync lock 1: name at the source, digest";
constexpr std::string_view k_docker = "docker://";
constexpr std::size_t k_cap = 64 * 1024 * 1024;

}  // namespace

SyncLock SyncLock::parse(std::string_view text, std::string_view document) {
  SyncLock lock;
  lock.document_ = document;
  const auto lines = split(text, '\n');
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line = trim(lines[i]);
    if (line.empty() || line.starts_with('#')) continue;
    const auto words = split(line, ' ');
    const auto digest = words.size() == 2 ? Digest::try_parse(words[1]) : std::nullopt;
    if (!digest) {
      throw InvalidData(
          str(quoted(document), " is not a lock: line ", i + 1, " is not a name and a digest"));
    }
    if (!lock.names_.emplace(words[0], *digest).second) {
      throw InvalidData(
          str(quoted(document), ": line ", i + 1, " gives ", quoted(words[0]), " again"));
    }
  }
  return lock;
}

SyncLock SyncLock::load(const std::string& path) {
  return parse(read_file(path, k_cap), path);
}

std::string SyncLock::text() const {
  std::string text = str(k_head, '\n');
  for (const auto& [name, digest] : names_) text += str(name, ' ', digest.text(), '\n');
  return text;
}

void SyncLock::save(const std::string& path) const {
  const auto slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  Directory::open(parent).write_file(path.substr(slash + 1), text(), 0644);
}

const Digest& SyncLock::get(const std::string& name) const {
  const auto found = names_.find(name);
  if (found != names_.end()) return found->second;
  NotFound error(str(quoted(name), " is not in the lock ", quoted(document_)));
  error.set_hint("write the lock anew, without --frozen");
  throw error;
}

std::vector<ManifestKey> SyncLock::keys_of(const Reference& repository) const {
  std::vector<ManifestKey> keys;
  for (const auto& [name, digest] : names_) {
    if (!name.starts_with(k_docker)) continue;
    const Reference reference = Reference::parse(std::string_view(name).substr(k_docker.size()));
    if (reference.repository() != repository.repository()) continue;
    if (reference.digest()) keys.emplace_back(*reference.digest());
    if (!reference.digest() && reference.tag()) keys.emplace_back(*reference.tag());
  }
  return keys;
}

}  // namespace lade::registry
