#include "registry/mirrored_repository.hpp"

#include <utility>

namespace lade::registry {

RawManifest MirroredRepository::manifest(const ManifestKey& key) {
  if (chosen_) return chosen_->manifest(key);
  return try_endpoints(
      plan_,
      [&](const PullEndpoint& endpoint) {
        auto repository = connect_(endpoint);
        RawManifest manifest = repository->manifest(key);
        chosen_ = std::move(repository);
        return manifest;
      },
      note_);
}

std::unique_ptr<Source> MirroredRepository::blob(const Descriptor& descriptor) {
  return chosen_->blob(descriptor);
}

BlobStream MirroredRepository::open_blob(const Descriptor& descriptor, const BlobRequest& request) {
  return chosen_->open_blob(descriptor, request);
}

std::vector<std::string> MirroredRepository::tags() {
  if (chosen_) return chosen_->tags();
  return try_endpoints(
      plan_,
      [&](const PullEndpoint& endpoint) {
        auto repository = connect_(endpoint);
        auto tags = repository->tags();
        chosen_ = std::move(repository);
        return tags;
      },
      note_);
}

}  // namespace lade::registry
