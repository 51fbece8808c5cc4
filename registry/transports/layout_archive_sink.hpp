// An oci-archive as a place that images are written to.
#pragma once

#include "base/concurrency.hpp"
#include "oci/transport.hpp"
#include "registry/transports/archive_target.hpp"
#include "registry/transports/layout_archive.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace lade::registry {

/// Writes an oci-archive, or adds to one that is there: its images keep their names and share their
/// blobs with the new ones. commit() writes the whole archive anew, less the blobs that nothing
/// refers to any more, and puts it in the place of the old one; other writers of the same file are
/// waited for, so that nothing of theirs is lost. THREADS: as ImageSink.
class LayoutArchiveSink final : public ImageSink {
 public:
  /// Throws InvalidData, and leaves it alone, if there is a file that is no plain oci-archive.
  explicit LayoutArchiveSink(const std::string& path, ArchiveOptions options = {});

  /// The OCI's formats, as a layout holds them.
  bool accepts(std::string_view media_type) const override;
  bool has_blob(const Descriptor& descriptor) override;
  void put_blob(const Descriptor& descriptor, Source& bytes) override;
  /// As OciLayoutSink: an image with a name, or the empty one, is listed.
  void put_manifest(const RawManifest& manifest, const ManifestKey& key) override;
  std::optional<std::string> refuses_signatures() const override {
    return "oci-archive: layouts keep no signatures";
  }
  /// May be called again after more was put, unless the archive goes to a stream. Throws NotFound
  /// if a blob that has_blob() had seen was removed meanwhile.
  void commit() override;

 private:
  /// A blob that waits.
  struct Blob {
    std::uint64_t size;  ///< bytes
    Fd file;
  };
  struct Pending {
    std::map<Digest, Blob> waiting;
    std::map<Digest, std::uint64_t> reused;  ///< was in the archive when has_blob() looked
    std::map<Digest, std::string> manifests;
    std::vector<std::pair<std::string, Descriptor>> listed;
  };
  struct Writing;

  std::optional<LayoutArchive> open_existing() const;
  void keep_blobs(const Pending& pending, const LayoutArchive& before, Writing& writing) const;
  void write(const Fd& out, const Writing& writing) const;

  ArchiveOptions options_;
  ArchiveTarget target_;
  std::optional<LayoutArchive> existing_;  // when this object was made
  Sync<Pending> pending_;
};

}  // namespace lade::registry
