// A repository at a registry, for reading: the distribution API (distribution-spec v1.1).
#pragma once

#include "oci/reference.hpp"
#include "oci/transport.hpp"
#include "registry/connection.hpp"
#include "registry/rate_limit.hpp"
#include "registry/referrers.hpp"
#include "registry/signing/registry_signatures.hpp"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace lade::registry {

class Session;
struct Response;

/// One repository. Nothing is sent before the first call. THREADS: all functions may be called from
/// several at once; each transfer has its own connection.
class Repository final : public ImageSource {
 public:
  /// The repository that `reference` names (its tag and digest do not matter). Every call ends in
  /// Cancelled soon after `stop` is requested.
  Repository(const Reference& reference, ConnectionOptions options, std::stop_token stop = {});
  Repository(Repository&&) noexcept = default;
  ~Repository() override;

  /// From now on its images have the signatures that these keep. Not while others use it.
  void use_signatures(std::shared_ptr<const RegistrySignatures> signatures) {
    signatures_ = std::move(signatures);
  }
  /// What was given to use_signatures().
  const std::shared_ptr<const RegistrySignatures>& kept_signatures() const noexcept {
    return signatures_;
  }

  /// Whether it is a registry and lets us in: throws HttpError if not.
  void ping();

  /// The manifest or index. Its bytes are checked against `key` if that is a digest, and against
  /// what the registry says their digest is. At most k_manifest_cap bytes.
  /// Throws NotFound, HttpError, Refused (digest), InvalidData.
  RawManifest manifest(const ManifestKey& key) override;

  /// What `key` stands for, as the registry states it: type, digest, and size (0 if it does not
  /// say). Costs a HEAD, which no registry counts as a pull; where the answer lacks the digest, or
  /// HEAD is not allowed, a GET. Throws NotFound, HttpError, Refused (another digest).
  Descriptor head(const ManifestKey& key);

  /// The bytes of a blob as they are sent, unverified. Follows redirects, without credentials; does
  /// not follow `urls` (foreign layers): throws Refused naming them if the registry itself has not
  /// got the blob. A fault in the middle is an HttpError with retryable().
  std::unique_ptr<Source> blob(const Descriptor& descriptor) override;
  /// The same, from `request.offset` on by a Range if the registry answers with just that range;
  /// otherwise from the beginning.
  BlobStream open_blob(const Descriptor& descriptor, const BlobRequest& request) override;

  /// A blob's digest and size, as the registry states it. Throws NotFound, HttpError.
  Descriptor describe_blob(const Digest& digest) override;
  /// See referrers().
  std::vector<Descriptor> list_referrers(const Digest& manifest) override {
    return referrers(manifest, "").manifests;
  }
  bool has_many_names() const override { return true; }

  /// Those that use_signatures() speaks of, or none.
  std::vector<std::string> signatures(const Digest& manifest) override;

  /// All tags in the registry's order, through any number of pages. Throws NotFound, HttpError.
  std::vector<std::string> tags();

  /// What refers to a manifest; see list_referrers().
  Referrers referrers(const Digest& subject, const std::string& artifact_type = "");

  /// What the registry says of its limit when asked for a manifest's head, which costs no pull.
  RateLimit rate_limit(const ManifestKey& key);

  /// The repository's name at its registry: `library/alpine`.
  const std::string& path() const noexcept { return path_; }
  /// What its requests share; the writing half goes over it too.
  const std::shared_ptr<Session>& session() const noexcept { return session_; }
  /// The same repository over the same session.
  Repository again() const { return Repository(path_, session_, signatures_); }

 private:
  Repository(std::string path, std::shared_ptr<Session> session,
             std::shared_ptr<const RegistrySignatures> signatures)
      : path_(std::move(path)), session_(std::move(session)), signatures_(std::move(signatures)) {}
  std::string pull_scope() const;
  /// Asks for a blob; with an offset, for the bytes from there on.
  Response request_blob(const Descriptor& descriptor, const BlobRequest& request);

  std::string path_;
  std::shared_ptr<Session> session_;
  std::shared_ptr<const RegistrySignatures> signatures_;
};

}  // namespace lade::registry
