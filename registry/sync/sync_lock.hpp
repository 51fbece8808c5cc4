// A lock: what each name stood for when a sync was run, so that another run copies just that.
#pragma once

#include "oci/digest.hpp"
#include "oci/reference.hpp"
#include "oci/transport.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// Names at their sources (`docker://quay.io/x/app:1`), and the digests that they stand for.
class SyncLock {
 public:
  /// Parses a file: a head, then a line `NAME DIGEST` for each image; lines that begin with `#` do
  /// not count. Throws InvalidData naming `document` and the line.
  static SyncLock parse(std::string_view text, std::string_view document);
  static SyncLock load(const std::string& path);

  /// The file, sorted by name.
  std::string text() const;
  /// Replaces the file at `path`.
  void save(const std::string& path) const;

  void set(const std::string& name, const Digest& digest) { names_.insert_or_assign(name, digest); }
  /// Throws NotFound.
  const Digest& get(const std::string& name) const;
  /// The tags and digests of a repository that are locked.
  std::vector<ManifestKey> keys_of(const Reference& repository) const;

 private:
  std::string document_ = "lock";
  std::map<std::string, Digest> names_;
};

}  // namespace lade::registry
