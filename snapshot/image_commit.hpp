// The end of a pull: from staged blobs and layers to an image that is there. Inside snapshot/.
#pragma once

#include "base/observer.hpp"
#include "oci/image_config.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"
#include "snapshot/chain.hpp"
#include "snapshot/staged_layer.hpp"
#include "store/blob_writer.hpp"
#include "store/lease.hpp"
#include "store/store.hpp"

#include <map>
#include <memory>
#include <set>
#include <vector>

namespace lade::snapshot {

/// What was put into a sink and is nobody else's to see yet.
struct Staged {
  std::map<Digest, std::unique_ptr<store::BlobWriter>> blobs;
  std::map<Digest, std::unique_ptr<StagedLayer>> layers;  ///< by the digest of their blobs
  std::set<Digest> in_progress;
  std::map<Digest, std::unique_ptr<store::BlobWriter>> begun;    ///< claimed, nothing written yet
  std::map<Digest, std::unique_ptr<store::BlobWriter>> written;  ///< not, or not yet, complete
  std::set<Digest> spoilt;   ///< whose bytes, or whose writing, went wrong
  bool interrupted = false;  ///< a stop or the network ended something
};

/// Checks images against their configs, completes their layers, and publishes everything at once.
class ImageCommit {
 public:
  /// `lease` holds what the images share with others until they are committed.
  ImageCommit(store::Store& store, store::Lease& lease, Staged& staged,
              const std::vector<Reference>& names, const std::vector<RawManifest>& indexes,
              const Job& job);

  /// Makes one image ready: every layer unpacked, its DiffID compared, finished against its chain.
  void prepare(const RawManifest& manifest);
  /// Makes it durable and visible; the names go to the last image that was prepared. Returns its
  /// id.
  Digest publish();

 private:
  std::optional<store::StoredLayer> find_layer(const DiffId& diff_id, const ChainId& chain) const;
  std::string read_config(const Descriptor& descriptor) const;
  Fd open_blob(const Descriptor& descriptor) const;
  /// What `use` makes of the blob's bytes, as a task that observers see.
  template <class Use>
  auto read_blob(const Descriptor& descriptor, TaskKind kind, const Use& use) const;
  std::unique_ptr<StagedLayer> unpack(const Descriptor& descriptor) const;
  std::unique_ptr<StagedLayer> unpack_onto(const Descriptor& descriptor,
                                           const Directory* lower) const;
  const DiffId& diff_id_of(const Descriptor& descriptor);
  DiffId read_diff_id(const Descriptor& descriptor) const;
  void unpack_missing(const Manifest& manifest, const ImageConfig& config);
  store::StoredLayer take_layer(const Descriptor& descriptor, const DiffId& diff_id,
                                const ChainId& chain);
  std::unique_ptr<StagedLayer> complete(std::unique_ptr<StagedLayer> layer,
                                        const Descriptor& descriptor) const;
  void add_names(store::NewImage& image) const;
  void make_durable() const;

  store::Store& store_;
  store::Lease& lease_;
  Staged& staged_;
  const std::vector<Reference>& names_;
  const std::vector<RawManifest>& indexes_;
  const Job& job_;
  OverlayXattrs overlay_ = overlay_xattrs_of_process();
  std::vector<ChainLink> below_;  ///< of the image that is being prepared, up to the layer at hand
  std::map<std::string, std::unique_ptr<StagedLayer>> ready_;  ///< by key
  std::map<Digest, DiffId> diff_ids_;                          ///< of blobs, as far as known
  std::vector<store::NewImage> images_;
};

}  // namespace lade::snapshot
