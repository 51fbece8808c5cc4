// What is remembered of destinations that cannot say themselves what they were sent, and from
// where. docs/decisions/0017-memory-of-registries.md says when it is believed.
#pragma once

#include "base/concurrency.hpp"
#include "oci/reference.hpp"
#include "registry/sync/sync_target.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace lade::registry {

/// A file of one line for each name: name, digest, the source's digest, selection, origin and when
/// it was seen there, divided by blanks, `-` for what is not known; a line `NAME -` takes a name
/// away. Several processes may use one file at the same time. THREADS: all functions.
class SyncState {
 public:
  /// No file: nothing is known, and nothing is kept.
  SyncState() = default;
  /// Reads the file at `path`, if there is one. Throws InvalidData if it is not one of ours.
  static SyncState load(const std::string& path);
  /// The same, but what is no such file counts as an empty one, and is replaced.
  static SyncState load_or_forget(const std::string& path);

  std::optional<SyncPresent> find(const std::string& name);
  void set(const std::string& name, SyncPresent present);
  /// Forgets a name at once, in the file too: what it stands for is about to change, and whoever
  /// reads the file after this process has died is not to believe what was there.
  void forget(const std::string& name);
  /// Writes what was set into the file, beside what other processes have written meanwhile.
  void save();

  /// What the text of a file says; throws InvalidData naming `document`.
  static std::map<std::string, SyncPresent> parse(std::string_view text, std::string_view document);
  /// The text of a file.
  static std::string print(const std::map<std::string, SyncPresent>& entries);

 private:
  struct Content {
    std::map<std::string, SyncPresent> entries;
    std::map<std::string, SyncPresent> unsaved;
  };

  std::map<std::string, SyncPresent> read_file_now() const;

  std::string path_;
  std::unique_ptr<Sync<Content>> content_ = std::make_unique<Sync<Content>>();
};

/// What is remembered of the repositories of registries. THREADS: of().
class SyncMemory {
 public:
  /// Nothing, and nothing is kept.
  SyncMemory() = default;
  /// All in one file. Throws InvalidData if it is not one of ours.
  static SyncMemory in_file(const std::string& path);
  /// A file for each repository, in a directory that is made. What cannot be read or kept there is
  /// not known. Throws SystemError if the directory cannot be written to.
  static SyncMemory in_directory(const std::string& path);

  /// What is remembered of a repository.
  SyncState& of(const Reference& repository);
  void save();

 private:
  std::string directory_;
  std::unique_ptr<SyncState> file_ = std::make_unique<SyncState>();
  std::unique_ptr<Sync<std::map<std::string, SyncState>>> repositories_ =
      std::make_unique<Sync<std::map<std::string, SyncState>>>();
};

}  // namespace lade::registry
