// ROOT/names: what images are called, one change a line in the order in which they were made, so
// that names outlive the index (docs/decisions/0020-names.md). Only `reindex` reads it.
#pragma once

#include "base/directory.hpp"
#include "oci/digest.hpp"
#include "oci/reference.hpp"

#include <map>
#include <set>
#include <string>

namespace lade::store {

/// Which name means which image.
using NameTable = std::map<Reference, Digest>;

/// Changes that one transaction made, as lines.
class NameChanges {
 public:
  void set(const Reference& name, const Digest& image);
  void drop(const Reference& name);
  /// The image is there, with names or without.
  void keep(const Digest& image);
  /// The image is gone with all its names.
  void forget(const Digest& image);
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

/// What the journal says at its end.
struct NameHistory {
  NameTable names;
  std::set<Digest> forgotten;  ///< images that were removed, and did not come back
};

/// Reads changes one after the other. Lines that make no sense (a power cut tears the last one) are
/// left out.
NameHistory replay_names(const std::string& text);

/// Reads ROOT/names; nothing is known if it is not there or is no file.
NameHistory read_name_journal(const Directory& root);

/// Whether ROOT/names is there and no larger than it should be: otherwise it is to be rewritten.
bool has_name_journal(const Directory& root);

/// Adds changes. No fsync: after a power cut the index is whole, and this is only its understudy.
/// REQUIRES: the CommitLock is held.
void append_to_name_journal(const Directory& root, const NameChanges& changes);

/// Replaces it by one with these names. REQUIRES: the CommitLock is held.
void rewrite_name_journal(const Directory& root, const NameTable& names);

}  // namespace lade::store
