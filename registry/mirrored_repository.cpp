#include "registry/mirrored_repository.hpp"

#include <utility>

namespace lade::registry {

/// Asks the endpoint that was chosen, or one after the other until one answers, which is chosen.
template <class Ask>
auto MirroredRepository::ask(Ask&& question) {
  if (chosen_) return question(*chosen_);
  return try_endpoints(
      plan_,
      [&](const PullEndpoint& endpoint) {
        auto repository = connect_(endpoint);
        auto answer = question(*repository);
        chosen_ = std::move(repository);
        return answer;
      },
      note_);
}

RawManifest MirroredRepository::manifest(const ManifestKey& key) {
  return ask([&](Repository& repository) { return repository.manifest(key); });
}

std::unique_ptr<Source> MirroredRepository::blob(const Descriptor& descriptor) {
  return chosen_->blob(descriptor);
}

BlobStream MirroredRepository::open_blob(const Descriptor& descriptor, const BlobRequest& request) {
  return chosen_->open_blob(descriptor, request);
}

std::vector<std::string> MirroredRepository::signatures(const Digest& manifest) {
  return ask([&](Repository& repository) { return repository.signatures(manifest); });
}

Descriptor MirroredRepository::head(const ManifestKey& key) {
  return ask([&](Repository& repository) { return repository.head(key); });
}

std::vector<std::string> MirroredRepository::tags() {
  return ask([](Repository& repository) { return repository.tags(); });
}

Descriptor MirroredRepository::describe_blob(const Digest& digest) {
  return ask([&](Repository& repository) { return repository.describe_blob(digest); });
}

Referrers MirroredRepository::referrers(const Digest& subject, const std::string& artifact_type) {
  return chosen_->referrers(subject, artifact_type);
}

}  // namespace lade::registry
