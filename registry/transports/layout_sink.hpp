// An OCI layout as a place that images are written to.
#pragma once

#include "base/concurrency.hpp"
#include "oci/transport.hpp"
#include "registry/transports/ensured_directory.hpp"
#include "registry/transports/layout_staging.hpp"
#include "registry/transports/oci_layout.hpp"

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lade::registry {

/// What a layout may hold: by its specification the OCI's formats; lade can read others from it
/// too, which mirrors use to keep every digest.
enum class LayoutFormats { oci, any };

/// Where a layout is, or is to be.
struct LayoutPlace {
  std::string path;
  std::optional<std::string> blobs = {};  ///< a directory that layouts share, instead of its own
};

/// Writes to a layout that other processes may write to at the same time. Blobs wait in a staging
/// directory; commit() makes them durable, moves them to their places, and then replaces
/// index.json under the layout's lock. Without it nothing of them stays. THREADS: as ImageSink.
class OciLayoutSink final : public ImageSink {
 public:
  /// put_blob() and commit() end in Cancelled soon after `stop` is requested.
  explicit OciLayoutSink(OciLayout layout, std::stop_token stop = {},
                         LayoutFormats formats = LayoutFormats::any);

  /// The same. A layout, or a directory, that is not there yet appears with the first commit(), and
  /// not at all without one. Throws InvalidData for a directory that is something else's.
  OciLayoutSink(const LayoutPlace& place, std::stop_token stop, LayoutFormats formats);

  bool accepts(std::string_view media_type) const override;

  /// Whether a regular file of the right size is there, or was put here before.
  bool has_blob(const Descriptor& descriptor) override;
  void put_blob(const Descriptor& descriptor, Source& bytes) override;

  /// They are listed without a name, as the referrers API would list them.
  bool takes_referrers() const override { return true; }

  /// Takes a manifest; it is listed if `key` is a name (the empty one lists it without a name), and
  /// only kept if it is a digest, unless it refers to another manifest. Throws UsageError for a
  /// name that is not valid in a layout.
  void put_manifest(const RawManifest& manifest, const ManifestKey& key) override;

  /// May be called again after more was put. Throws NotFound if a blob that has_blob() had seen
  /// was removed meanwhile.
  void commit() override;

 private:
  /// What the next commit() publishes.
  struct Pending {
    std::map<Digest, std::uint64_t> staged;  ///< in the staging directory, by size in bytes
    std::map<Digest, std::uint64_t> reused;  ///< was in the layout when has_blob() looked
    std::vector<std::pair<std::string, Descriptor>> listed;  ///< name and manifest
  };

  OciLayoutSink(std::unique_ptr<EnsuredDirectory> directory,
                std::unique_ptr<EnsuredDirectory> blobs, std::stop_token stop,
                LayoutFormats formats);

  void publish(const std::map<Digest, std::uint64_t>& staged) const;
  void check_reused(const std::map<Digest, std::uint64_t>& reused) const;

  std::unique_ptr<EnsuredDirectory> made_;  // outlive what is in them
  std::unique_ptr<EnsuredDirectory> made_blobs_;
  OciLayout layout_;
  std::stop_token stop_;
  LayoutFormats formats_;
  LayoutStaging staging_;
  Sync<Pending> pending_;
};

}  // namespace lade::registry
