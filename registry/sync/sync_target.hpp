// Where a sync puts images: what it must know of a destination besides how to write to it.
#pragma once

#include "base/observer.hpp"
#include "oci/transport.hpp"
#include "registry/sync/mirror.hpp"
#include "registry/sync/sync_plan.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lade::registry {

/// What a destination has under a name.
struct SyncPresent {
  Digest digest;
  MirrorRecord record;    ///< where it came from, as far as that is known
  std::int64_t seen = 0;  ///< when it was there, seconds since the epoch; 0: not told
  bool operator==(const SyncPresent&) const = default;
};

/// A destination of many images, each by its name below the destination's root. THREADS: find(),
/// open() and record() may be called from several at once.
class SyncTarget {
 public:
  virtual ~SyncTarget() = default;
  /// What is there now; nothing if there is nothing. Throws Refused for what must not be replaced.
  virtual std::optional<SyncPresent> find(const SyncItem& item) = 0;
  /// Opens it to write one image, which came from where `record` says. The target must outlive it.
  virtual std::unique_ptr<ImageSink> open(const SyncItem& item, const MirrorRecord& record) = 0;
  /// The name that the image gets in that sink.
  virtual ManifestKey key(const SyncItem& item) const = 0;
  /// `docker://…`, `dir:…` or `oci:…`: where the image of that name is.
  virtual std::string place(const std::string& name) const = 0;
  /// What is said of each blob: fetched, or pushed.
  virtual TaskKind kind() const = 0;
  /// Hears what was written under a name.
  virtual void note(const SyncItem& item, const SyncPresent& written) = 0;
  /// The names that exist in a repository (a name without its tag).
  virtual std::vector<std::string> list(const std::string& repository) = 0;
  /// Removes names, and what only they needed, as far as that can be done.
  virtual void remove(const std::vector<std::string>& names, Observer& observer) = 0;
  /// Keeps what it heard by note() for the next run.
  virtual void save() = 0;
};

}  // namespace lade::registry
