// A repository read through whatever registries.conf says of it: its mirrors first, the registry
// itself last. The first endpoint that answers serves everything after it.
#pragma once

#include "oci/transport.hpp"
#include "registry/endpoints.hpp"
#include "registry/repository.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lade::registry {

/// Which endpoint is asked is decided by the first manifest(), head(), tags() or describe_blob().
/// THREADS: that first call comes alone; blob() afterwards may be called from several at once.
class MirroredRepository final : public ImageSource {
 public:
  /// Makes the repository at an endpoint: with its TLS rule, proxy, and credentials that are its
  /// own.
  using Connect = std::function<std::unique_ptr<Repository>(const PullEndpoint&)>;
  /// Hears of a mirror that did not serve.
  using Note = std::function<void(const PullEndpoint&, const Error&)>;

  MirroredRepository(PullPlan plan, Connect connect, Note note)
      : plan_(std::move(plan)), connect_(std::move(connect)), note_(std::move(note)) {}

  RawManifest manifest(const ManifestKey& key) override;
  /// REQUIRES: manifest(), tags() or describe_blob() returned before.
  std::unique_ptr<Source> blob(const Descriptor& descriptor) override;
  /// REQUIRES: the same. See Repository::open_blob().
  BlobStream open_blob(const Descriptor& descriptor, const BlobRequest& request) override;
  /// See Repository::signatures().
  std::vector<std::string> signatures(const Digest& manifest) override;
  /// See Repository::head().
  Descriptor head(const ManifestKey& key);
  /// See Repository::tags().
  std::vector<std::string> tags();
  /// See Repository::describe_blob().
  Descriptor describe_blob(const Digest& digest) override;
  /// See referrers().
  std::vector<Descriptor> list_referrers(const Digest& manifest) override {
    return referrers(manifest, "").manifests;
  }
  bool has_many_names() const override { return true; }
  /// See Repository::referrers(). REQUIRES: manifest() returned before.
  Referrers referrers(const Digest& subject, const std::string& artifact_type);

 private:
  template <class Ask>
  auto ask(Ask&& question);

  PullPlan plan_;
  Connect connect_;
  Note note_;
  std::unique_ptr<Repository> chosen_;
};

}  // namespace lade::registry
