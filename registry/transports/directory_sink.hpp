// A `dir:` image as a place that images are written to.
#pragma once

#include "base/concurrency.hpp"
#include "oci/transport.hpp"
#include "registry/transports/ensured_directory.hpp"
#include "registry/transports/layout_staging.hpp"

#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace lade::registry {

/// Writes one image, and its instances, into a directory: file for file what skopeo writes. What
/// was there before stays until commit(), which puts the new files beside the old ones, replaces
/// the manifest, and then removes all that does not belong to the new image. THREADS: as ImageSink.
class DirectorySink final : public ImageSink {
 public:
  /// Makes the directory and its missing parents. One that is neither empty nor an image directory
  /// is refused (InvalidData) and left alone. put_blob() and commit() end in Cancelled soon after
  /// `stop` is requested.
  explicit DirectorySink(const std::string& path, std::stop_token stop = {});

  bool has_blob(const Descriptor& descriptor) override;
  void put_blob(const Descriptor& descriptor, Source& bytes) override;
  /// The image's own manifest or index has the empty name; any other is kept as an instance.
  void put_manifest(const RawManifest& manifest, const ManifestKey& key) override;
  std::optional<std::string> refuses_signatures() const override { return std::nullopt; }
  void put_signatures(const Digest& manifest, const std::vector<std::string>& signatures) override;
  /// May be called again after more was put. Throws NotFound if a blob that has_blob() had seen was
  /// removed meanwhile.
  void commit() override;

 private:
  /// What was put, and what of it is not yet in place.
  struct Pending {
    std::set<std::string> staged;                 ///< names of files in the staging directory
    std::map<std::string, std::uint64_t> reused;  ///< files that were there, by size in bytes
    std::set<std::string> committed;              ///< put in place by an earlier commit()
    std::optional<RawManifest> top;
    std::map<Digest, std::vector<std::string>> signatures;
    bool is_sha256_only = true;
  };

  void stage(const std::string& name, const Digest& digest, Source& bytes);
  void stage_signatures(Pending& pending) const;
  void check_reused(const Pending& pending) const;
  void publish(const Pending& pending) const;
  void remove_others(const Pending& pending) const;

  EnsuredDirectory ensured_;
  const Directory& directory_;
  std::stop_token stop_;
  LayoutStaging staging_;
  Sync<Pending> pending_;
};

}  // namespace lade::registry
