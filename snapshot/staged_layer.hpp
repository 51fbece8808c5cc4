// A layer on its way into the store: unpacked under staging/, published under its key.
#pragma once

#include "base/observer.hpp"
#include "base/stream.hpp"
#include "oci/descriptor.hpp"
#include "snapshot/apply.hpp"
#include "snapshot/chain.hpp"
#include "store/lease.hpp"
#include "store/shared_staging.hpp"
#include "store/store.hpp"

#include <memory>
#include <string>
#include <vector>

namespace lade::snapshot {

/// The name of a layer's record beside its tree.
inline constexpr const char* k_layer_record = "files";

/// staging/NAME/tree under a flock, removed by the destructor unless it was published. One that
/// comes out the same whatever is below it may be shared with other processes (share()); then the
/// last of them removes it.
class StagedLayer {
 public:
  /// Inflates and applies `blob`, and reads it to its very end. `lower` as in ApplyOptions.
  StagedLayer(const store::Store& store, Source& blob, const Directory* lower, const Job& job);
  /// The layer that the blob `digest` unpacks to: taken from who unpacks it at this moment, after
  /// waiting until that is done, else unpacked from `blob`, which is not read otherwise. `lease`
  /// holds it. Nothing if it was published and removed again meanwhile. `blob_hasher` as in
  /// ApplyOptions.
  static std::unique_ptr<StagedLayer> share(const store::Store& store, store::Lease& lease,
                                            const Digest& digest, Source& blob, const Job& job,
                                            PatientHasher* blob_hasher = nullptr);
  StagedLayer(const StagedLayer&) = delete;
  StagedLayer& operator=(const StagedLayer&) = delete;
  ~StagedLayer();

  const AppliedLayer& applied() const noexcept { return applied_; }
  const Directory& tree() const noexcept { return hold_.tree; }
  ChainLink link() const;

  /// Says what it is, in its own `layer` file, and remembers under which key to publish it.
  void describe(const store::StoredLayer& layer);
  /// What describe() was told.
  const store::StoredLayer& description() const;
  /// fsyncs all of it.
  void sync(const std::stop_token& stop) const;
  /// Renames it into layers/. REQUIRES: describe(), it is durable, the CommitLock is held. That the
  /// layer is there already is success; whether it was not. Throws Busy if somebody who shared it
  /// published it and had to take it back.
  bool publish();

 private:
  enum class Use { alone, shared };

  StagedLayer(const store::Store& store, std::string name, store::StagingHold hold, Use use);
  void fill(Source& blob, ApplyOptions options, const Job& job);
  void read_description();
  void make_private();
  bool is_in_place() const;
  void write(const std::string& name, const std::string& text) const;

  const store::Store& store_;
  std::string name_;
  store::StagingHold hold_;
  Use use_;
  AppliedLayer applied_;
  std::string record_;  ///< see record_layer()
  std::optional<store::StoredLayer> description_;
  bool published_ = false;
};

}  // namespace lade::snapshot
