// A place whose manifests are asked for once, however often they are read.
#pragma once

#include "oci/transport.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace lade::registry {

/// Passes everything on, and keeps each manifest and each image's signatures that it was given.
/// THREADS: as ImageSource.
class RememberingSource final : public ImageSource {
 public:
  /// `inner` must outlive it.
  explicit RememberingSource(ImageSource& inner) : inner_(inner) {}

  RawManifest manifest(const ManifestKey& key) override {
    const auto known = known_.find(key);
    if (known != known_.end()) return known->second;
    return known_.emplace(key, inner_.manifest(key)).first->second;
  }
  std::unique_ptr<Source> blob(const Descriptor& descriptor) override {
    return inner_.blob(descriptor);
  }
  BlobStream open_blob(const Descriptor& descriptor, const BlobRequest& request) override {
    return inner_.open_blob(descriptor, request);
  }
  Descriptor describe_blob(const Digest& digest) override { return inner_.describe_blob(digest); }
  std::vector<Descriptor> list_referrers(const Digest& manifest) override {
    return inner_.list_referrers(manifest);
  }
  bool has_many_names() const override { return inner_.has_many_names(); }
  std::vector<std::string> signatures(const Digest& manifest) override {
    const auto known = signatures_.find(manifest);
    if (known != signatures_.end()) return known->second;
    return signatures_.emplace(manifest, inner_.signatures(manifest)).first->second;
  }

 private:
  ImageSource& inner_;
  std::map<ManifestKey, RawManifest> known_;
  std::map<Digest, std::vector<std::string>> signatures_;
};

}  // namespace lade::registry
