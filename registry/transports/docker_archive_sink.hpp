// A docker-archive (`docker save`) as a place that images are written to.
#pragma once

#include "base/concurrency.hpp"
#include "oci/transport.hpp"
#include "registry/transports/archive_target.hpp"
#include "registry/transports/docker_archive.hpp"

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace lade::registry {

/// How to write.
struct DockerArchiveOptions {
  std::vector<Reference> additional_tags = {};   ///< of every image, beside its own name
  std::string temporary_directory = "/var/tmp";  ///< where layers wait if the target is a stream
  std::stop_token stop = {};                     ///< requested: writing ends in Cancelled
};

/// Writes a new archive of one image or several, byte for byte as skopeo does. Layers are unpacked
/// while they come, checked against the configuration's DiffIDs, and wait in files without names;
/// commit() writes the archive at once. THREADS: as ImageSink.
class DockerArchiveSink final : public ImageSink {
 public:
  /// Throws SystemError (EEXIST) if there is an archive: none is ever changed.
  explicit DockerArchiveSink(const std::string& path, DockerArchiveOptions options = {});

  /// Only images for one platform.
  bool accepts(std::string_view media_type) const override;
  bool has_blob(const Descriptor& descriptor) override;
  void put_blob(const Descriptor& descriptor, Source& bytes) override;
  /// `key` is a reference with a tag, or empty for an image without one. Throws InvalidData for an
  /// index, Refused for a layer that is not what the configuration says.
  void put_manifest(const RawManifest& manifest, const ManifestKey& key) override;
  std::optional<std::string> refuses_signatures() const override {
    return "docker-archive: keeps no signatures";
  }
  /// May be called once.
  void commit() override;

 private:
  /// A plain layer that waits.
  struct Layer {
    DiffId diff_id;
    std::uint64_t size;  ///< bytes
    Fd file;
  };
  struct Pending {
    std::map<Digest, std::string> small;              ///< configurations, by their digest
    std::map<Digest, std::shared_ptr<Layer>> layers;  ///< by the blob's digest
    std::map<DiffId, std::shared_ptr<Layer>> wanted;  ///< what the images stand on
    std::vector<DockerArchiveImage> images;
    bool is_committed = false;
  };

  std::shared_ptr<Layer> unpack(Source& bytes) const;
  std::vector<Reference> tags_of(const ManifestKey& key) const;
  void write(const Fd& out, Pending& pending) const;

  DockerArchiveOptions options_;
  ArchiveTarget target_;
  Sync<Pending> pending_;
};

}  // namespace lade::registry
