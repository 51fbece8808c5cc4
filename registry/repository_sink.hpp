// A repository at a registry as a place that images are written to.
#pragma once

#include "base/concurrency.hpp"
#include "oci/reference.hpp"
#include "oci/transport.hpp"
#include "registry/connection.hpp"
#include "registry/repository.hpp"
#include "registry/upload.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

namespace lade::registry {

/// Writes to one repository. A registry shows blobs and manifests one by one as they come, so it is
/// the order (copy_image's) that keeps what is incomplete from having a name, and commit() has
/// nothing to do. THREADS: as ImageSink.
class RepositorySink final : public ImageSink {
 public:
  struct Options {
    UploadOptions upload;
    /// The repository of the same registry that the image is read from, whose blobs need not be
    /// sent again. If it is this one, nothing is asked for and nothing sent but the manifest that
    /// gets a name.
    std::optional<std::string> source_path;
    /// Where signatures of its images are kept; without it they are refused.
    std::shared_ptr<const RegistrySignatures> signatures = {};
    /// Another repository of this registry that is known to have a blob; may be empty.
    std::function<std::optional<std::string>(const Digest&)> find_source = {};
  };

  /// The repository that `reference` names (its tag and digest do not matter).
  RepositorySink(const Reference& reference, ConnectionOptions connection, std::stop_token stop,
                 Options options);
  /// The repository that `reader` reads, over the same session.
  RepositorySink(Repository reader, Options options);
  /// The repository that `source` reads: over the same session, into itself.
  explicit RepositorySink(const Repository& source);
  ~RepositorySink() override;

  /// Whether the blob is there, or came there from the source's repository by being asked for
  /// (mounted). Asks once for each blob that is there in the life of this object.
  bool has_blob(const Descriptor& descriptor) override;
  /// See BlobUploader::upload().
  void put_blob(const Descriptor& descriptor, Source& bytes) override;
  /// Under a tag or its own digest. One that refers to a subject is also listed under the referrers
  /// tag, unless the registry says that it does so itself. Throws Refused if the registry says that
  /// it keeps something else, or `key` is another digest.
  void put_manifest(const RawManifest& manifest, const ManifestKey& key) override;
  std::optional<std::string> refuses_signatures() const override;
  void put_signatures(const Digest& manifest, const std::vector<std::string>& signatures) override;
  bool takes_referrers() const override { return true; }
  void commit() override {}

 private:
  bool is_source() const;
  bool mount(const Descriptor& descriptor);
  std::string scope() const;
  bool ask_for_blob(const Descriptor& descriptor);
  /// Whether the registry says that it lists the manifest with its subject.
  bool send_manifest(const RawManifest& manifest, const ManifestKey& key);
  void list_referrer(const Digest& subject, const RawManifest& manifest);

  Repository reader_;
  Options options_;
  BlobUploader uploader_;
  Sync<std::set<Digest>> known_;
  std::mutex listing_;
};

}  // namespace lade::registry
