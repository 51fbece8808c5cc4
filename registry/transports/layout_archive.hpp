// An oci-archive: a tar of an OCI layout, for reading.
#pragma once

#include "oci/transport.hpp"
#include "registry/transports/archive_file.hpp"
#include "registry/transports/layout_index.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lade::registry {

/// The member that a blob is.
std::string layout_blob_name(const Digest& digest);

/// An open oci-archive. THREADS: all const functions may be called from several at once.
class LayoutArchive {
 public:
  /// Throws InvalidData for what is no layout.
  explicit LayoutArchive(ArchiveFile archive);

  const ArchiveFile& archive() const noexcept { return archive_; }
  const LayoutIndex& index() const noexcept { return index_; }

  /// The size in bytes of a blob, or nothing if there is none.
  std::optional<std::uint64_t> find_blob_size(const Digest& digest) const;
  /// A blob's bytes, unverified. Throws NotFound, Refused if it has not got `size` bytes. This
  /// object must outlive the result.
  std::unique_ptr<Source> open_blob(const Digest& digest, std::uint64_t size,
                                    std::uint64_t offset = 0) const;
  /// The digests of all blobs, each once, sorted.
  std::vector<Digest> blobs() const;

 private:
  ArchiveFile archive_;
  LayoutIndex index_;
};

/// Reads from an oci-archive; names are those of OciLayoutSource. THREADS: as ImageSource.
class LayoutArchiveSource final : public ImageSource {
 public:
  explicit LayoutArchiveSource(LayoutArchive layout) : layout_(std::move(layout)) {}

  const LayoutIndex& index() const noexcept { return layout_.index(); }
  RawManifest manifest(const ManifestKey& key) override;
  std::unique_ptr<Source> blob(const Descriptor& descriptor) override;
  BlobStream open_blob(const Descriptor& descriptor, const BlobRequest& request) override;

 private:
  LayoutArchive layout_;
};

}  // namespace lade::registry
