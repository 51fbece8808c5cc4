// The local store as a place that images are copied to: what `pull` and `load` write into.
#pragma once

#include "base/observer.hpp"
#include "oci/reference.hpp"
#include "oci/transport.hpp"
#include "store/store.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace lade::snapshot {

/// What a layer that was made here turned out to be.
struct NewLayer {
  Descriptor descriptor;
  DiffId diff_id;
};

/// Takes blobs, unpacks layers while they arrive, and commits the image under its names. In one
/// pass: the bytes of put_blob() are written to an ingest file, inflated, hashed and applied to a
/// staging directory. Without commit() all of it is removed by the destructor; but after a stop or
/// an HttpError (and nothing worse) the ingest files stay, and the next sink continues them.
class LocalImageSink final : public ImageSink {
 public:
  /// `names`: tags to move to the image at commit(), and `repository@digest` names to remember it
  /// by; each needs one of the two. `store` must outlive the sink.
  LocalImageSink(store::Store& store, std::vector<Reference> names, Job job);
  ~LocalImageSink() override;

  bool has_blob(const Descriptor& descriptor) override;
  std::optional<KeptBytes> begin_blob(const Descriptor& descriptor,
                                      const std::stop_token& stop) override;
  void put_blob(const Descriptor& descriptor, Source& bytes) override;
  /// Takes a layer that is made here: a tar, plain or compressed (gzip stays as it is, all else
  /// becomes gzip), unpacked and written as put_blob() does it, in one pass. Throws InvalidData for
  /// what is no whole tar: empty, compressed twice, or without its end.
  NewLayer put_new_layer(Source& tar);
  /// An image manifest, or the index that it was chosen from (which becomes a digest name).
  void put_manifest(const RawManifest& manifest, const ManifestKey& key) override;
  void commit() override;

  /// The id (config digest) of the image that commit() tagged. REQUIRES: commit() returned.
  const Digest& image_id() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lade::snapshot
