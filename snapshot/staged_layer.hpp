// A layer on its way into the store: unpacked under staging/, published under its key.
#pragma once

#include "base/observer.hpp"
#include "base/stream.hpp"
#include "snapshot/apply.hpp"
#include "snapshot/chain.hpp"
#include "store/store.hpp"

#include <memory>
#include <string>
#include <vector>

namespace lade::snapshot {

/// The name of a layer's record beside its tree.
inline constexpr const char* k_layer_record = "files";

/// staging/NAME/tree under a flock, removed by the destructor unless it was published.
class StagedLayer {
 public:
  /// Inflates and applies `blob`, and reads it to its very end. `lower` and `blob_hasher` as in
  /// ApplyOptions.
  StagedLayer(const store::Store& store, Source& blob, const Directory* lower, const Job& job,
              PatientHasher* blob_hasher = nullptr);
  StagedLayer(const StagedLayer&) = delete;
  StagedLayer& operator=(const StagedLayer&) = delete;
  ~StagedLayer();

  const AppliedLayer& applied() const noexcept { return applied_; }
  const Directory& tree() const noexcept { return tree_; }
  ChainLink link() const;

  /// Says what it is, in its own `layer` file, and remembers under which key to publish it.
  void describe(const store::StoredLayer& layer);
  /// fsyncs all of it.
  void sync(const std::stop_token& stop) const;
  /// Renames it into layers/. REQUIRES: describe(), it is durable, the CommitLock is held. That the
  /// layer is there already is success; whether it was not.
  bool publish();
  const std::string& key() const noexcept { return key_; }

 private:
  void write(const std::string& name, const std::string& text) const;

  const store::Store& store_;
  std::string name_;
  Directory directory_;  // its descriptor holds the flock
  Directory tree_;
  AppliedLayer applied_;
  std::string record_;  ///< see record_layer()
  std::string key_;
  bool published_ = false;
};

}  // namespace lade::snapshot
