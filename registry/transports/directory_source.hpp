// A `dir:` image as a place that images are read from.
#pragma once

#include "base/directory.hpp"
#include "oci/transport.hpp"

#include <memory>
#include <string>
#include <vector>

namespace lade::registry {

/// Reads the one image of a directory, whose name is empty. What is in it is not trusted: only
/// regular files are read, links are not followed. THREADS: as ImageSource.
class DirectorySource final : public ImageSource {
 public:
  /// Throws NotFound if there is no directory or no manifest in it.
  explicit DirectorySource(const std::string& path);

  /// The image's manifest or index, or an instance's by its digest. Throws NotFound, InvalidData,
  /// Refused.
  RawManifest manifest(const ManifestKey& key) override;
  std::unique_ptr<Source> blob(const Descriptor& descriptor) override;
  Descriptor describe_blob(const Digest& digest) override;
  std::vector<std::string> signatures(const Digest& manifest) override;

 private:
  RawManifest top() const;

  Directory directory_;
};

}  // namespace lade::registry
