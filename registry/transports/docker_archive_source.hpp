// A docker-archive (`docker save`) as a place that images are read from.
#pragma once

#include "base/concurrency.hpp"
#include "oci/transport.hpp"
#include "registry/transports/archive_file.hpp"
#include "registry/transports/docker_archive.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lade::registry {

/// Reads the images of an archive, each as a Docker manifest whose layers are plain tars. A name is
/// a reference with a tag; the empty name is the only image there is. THREADS: as ImageSource.
class DockerArchiveSource final : public ImageSource {
 public:
  /// Throws InvalidData if there is no valid manifest.json.
  explicit DockerArchiveSource(ArchiveFile archive);

  /// What the archive lists, in its order.
  const std::vector<DockerArchiveItem>& items() const noexcept { return items_; }

  /// The manifest of the image at a position, counted from 0. Throws NotFound.
  RawManifest manifest_at(std::size_t position);

  RawManifest manifest(const ManifestKey& key) override;
  std::unique_ptr<Source> blob(const Descriptor& descriptor) override;
  BlobStream open_blob(const Descriptor& descriptor, const BlobRequest& request) override;

 private:
  /// A blob is a member; a layer that is compressed inside the archive is so no more outside.
  struct Member {
    const TarEntry* entry;
    std::uint64_t size;  ///< plain, bytes
    bool is_compressed;
  };
  struct State {
    std::map<std::size_t, RawManifest> manifests;  ///< by position
    std::map<Digest, Member> members;
  };

  const RawManifest& describe(State& state, std::size_t position) const;
  Member measure(const TarEntry& entry) const;
  std::size_t find_position(const std::string& name) const;
  Member find_member(const Descriptor& descriptor);

  ArchiveFile archive_;
  std::vector<DockerArchiveItem> items_;
  Sync<State> state_;
};

/// The names of the images of an archive as `list-tags` prints them: all tags, and `@N` for the
/// image at position N if it has none.
std::vector<std::string> docker_archive_names(const std::vector<DockerArchiveItem>& items);

}  // namespace lade::registry
