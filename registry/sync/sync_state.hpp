// What a destination that cannot say it itself had been sent, and from where: the file of
// `--state`.
#pragma once

#include "base/concurrency.hpp"
#include "registry/sync/sync_target.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace lade::registry {

/// A file of one line for each name: name, digest, the source's digest, selection and origin,
/// divided by blanks, `-` for what is not known. THREADS: all functions but load() and save().
class SyncState {
 public:
  /// No file: nothing is known, and nothing is kept.
  SyncState() = default;
  /// Reads the file at `path`, if there is one. Throws InvalidData if it is not one of ours.
  static SyncState load(const std::string& path);

  std::optional<SyncPresent> find(const std::string& name);
  void set(const std::string& name, SyncPresent present);
  void remove(const std::string& name);
  /// Replaces the file, if anything has changed.
  void save();

 private:
  struct Content {
    std::map<std::string, SyncPresent> entries;
    bool has_changed = false;
  };

  std::string path_;
  std::unique_ptr<Sync<Content>> content_ = std::make_unique<Sync<Content>>();
};

}  // namespace lade::registry
