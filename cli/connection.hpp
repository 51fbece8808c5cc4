// From registry flags, the environment and registries.conf to a repository that can be read.
#pragma once

#include "base/observer.hpp"
#include "cli/verbs.hpp"
#include "oci/platform.hpp"
#include "oci/reference.hpp"
#include "oci/transport.hpp"
#include "registry/connection.hpp"
#include "registry/mirrored_repository.hpp"
#include "registry/registries_conf.hpp"
#include "registry/repository_pool.hpp"

#include <string>
#include <string_view>

namespace lade::cli {

/// The registries that the command line reaches: its flags, the environment and registries.conf.
class RegistryAccess {
 public:
  /// Reads registries.conf. Throws InvalidData if it is malformed, UsageError for a wrong --creds.
  RegistryAccess(const App& app, const RegistryFlags& flags, Job job,
                 registry::RetryPolicy retry = {});

  /// The repository of `reference`, by its mirrors first where there are some. Nothing is sent yet.
  /// Throws Refused for a blocked registry.
  registry::MirroredRepository open(const Reference& reference, registry::Reading reading) const;

  /// How to reach the registry that `name` (`host[:port]` or a repository) begins with, itself and
  /// none of its mirrors. Throws Refused if it is blocked.
  registry::ConnectionOptions direct(std::string_view name) const;

  /// Where the signatures of a repository's images are, for a place that is opened otherwise.
  std::shared_ptr<const registry::RegistrySignatures> signatures(const Reference& reference) const;
  /// The repository of `reference` itself, over the session that all who ask for it share. THREADS:
  /// may be called from several at once, as open() may.
  registry::Repository open_direct(const Reference& reference) const;

  /// What a name given to `pull` or `run` may stand for, in the order in which to try; tells the
  /// observer when the configuration decided it. `docker://NAME` is never a short name.
  std::vector<Reference> candidates(std::string_view name) const;

 private:
  std::unique_ptr<registry::Repository> connect(const registry::PullEndpoint& endpoint,
                                                const Reference& logical) const;

  registry::ConnectionOptions options_;
  std::optional<bool> tls_verify_;
  registry::RegistriesConf conf_;
  registry::RegistriesD registries_d_;
  std::string default_lookaside_;
  Job job_;
  std::shared_ptr<registry::RepositoryPool> pool_;
};

/// A reference to a registry: `docker://` is taken off if it is there; other transports are refused
/// by name. Throws UsageError.
Reference registry_reference(std::string_view text);

/// Whether `text` begins with a transport, like `docker://` or `oci:`.
bool has_transport(std::string_view text);

/// The manifest that a reference names: its digest, else its tag, else `latest`.
ManifestKey manifest_key(const Reference& reference);

/// `--platform`, or this machine's.
Platform chosen_platform(const std::optional<std::string>& option);

}  // namespace lade::cli
