#include "registry/copy.hpp"

#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/transfer.hpp"
#include "cli/transports.hpp"
#include "cli/verb_options.hpp"
#include "registry/repository_sink.hpp"
#include "registry/transports/transport_name.hpp"

namespace lade::cli {

namespace {

using registry::RegistryImageName;

/// A source narrowed to the manifest that was chosen from it, which is not fetched twice.
class ChosenImage final : public ImageSource {
 public:
  ChosenImage(ImageSource& inner, RawManifest chosen) : inner_(inner), chosen_(std::move(chosen)) {}

  ManifestKey key() const { return chosen_.digest; }
  RawManifest manifest(const ManifestKey&) override { return chosen_; }
  std::unique_ptr<Source> blob(const Descriptor& descriptor) override {
    return inner_.blob(descriptor);
  }
  BlobStream open_blob(const Descriptor& descriptor, const BlobRequest& request) override {
    return inner_.open_blob(descriptor, request);
  }

 private:
  ImageSource& inner_;
  RawManifest chosen_;
};

/// What all ways of copying need.
struct Copying {
  const CopyArguments& arguments;
  const TransportAccess& from;
  const TransportAccess& to;
  registry::RetryPolicy retry;
  registry::RateLimiter* limiter;
  const Job& job;

  /// Copies the one manifest that was chosen; its digest.
  Digest run(ImageSource& origin, RawManifest chosen, ImageSink& sink, const ManifestKey& key,
             TaskKind kind) const {
    ChosenImage source(origin, std::move(chosen));
    const auto result = registry::copy_image(source, sink,
                                             {.source_key = source.key(),
                                              .sink_key = key,
                                              .platform = chosen_platform(arguments.platform),
                                              .jobs = arguments.jobs,
                                              .retry = retry,
                                              .kind = kind,
                                              .limiter = limiter},
                                             job);
    return result.image.raw.digest;
  }

  RawManifest choose(ImageSource& source, const ManifestKey& key) const {
    return registry::resolve_image(source, key, chosen_platform(arguments.platform)).raw;
  }
};

/// Gives an image another name in its own repository: the manifest is all that moves.
Digest retag(const RegistryImageName& destination, const RegistryImageName& source,
             const Copying& copying) {
  const Reference& reference = destination.reference;
  registry::Repository repository(reference, copying.to.registries.direct(reference.repository()),
                                  copying.job.stop);
  RawManifest chosen = copying.choose(repository, manifest_key(source.reference));
  registry::RepositorySink sink(repository);
  return copying.run(repository, std::move(chosen), sink, manifest_key(reference), TaskKind::push);
}

/// The repository that blobs can be had from without sending them: one of the same registry.
std::optional<std::string> find_source_path(const registry::ImageName& source,
                                            const registry::ImageName& destination) {
  const auto* from = std::get_if<RegistryImageName>(&source);
  const auto* to = std::get_if<RegistryImageName>(&destination);
  if (from == nullptr || to == nullptr) return std::nullopt;
  if (from->reference.domain() != to->reference.domain()) return std::nullopt;
  return from->reference.path();
}

bool is_same_repository(const RegistryImageName& one, const RegistryImageName& other) {
  return one.reference.repository() == other.reference.repository();
}

void warn_of_docker_format(const registry::ImageName& destination, const RawManifest& chosen,
                           const Job& job) {
  if (!std::holds_alternative<registry::LayoutImageName>(destination)) return;
  if (chosen.media_type != media_type::docker_manifest) return;
  job.observer.note(NoteLevel::warning,
                    "the image is in Docker's format and is kept so: skopeo and umoci read only "
                    "the OCI format from a layout");
}

Digest copy_to(const registry::ImageName& destination, const registry::ImageName& source,
               const Copying& copying) {
  const auto* from = std::get_if<RegistryImageName>(&source);
  const auto* to = std::get_if<RegistryImageName>(&destination);
  if (from != nullptr && to != nullptr && is_same_repository(*from, *to)) {
    return retag(*to, *from, copying);
  }
  const OpenedSource origin = open_source(source, copying.from);
  // The image first: a name that does not exist makes no layout.
  RawManifest chosen = copying.choose(*origin.source, origin.key);
  warn_of_docker_format(destination, chosen, copying.job);
  const OpenedSink target = open_sink(destination, copying.to,
                                      {.chunk_size = copying.arguments.chunk_size,
                                       .source_path = find_source_path(source, destination)});
  return copying.run(*origin.source, std::move(chosen), *target.sink, target.key, target.kind);
}

/// skopeo's, which lade cannot do yet.
void declare_refused(OptionSet& options) {
  for (const char* flag :
       {"-a,--all", "--dest-compress", "--dest-decompress", "--dest-no-creds",
        "--dest-oci-accept-uncompressed-layers", "--dest-precompute-digests", "--src-no-creds"}) {
    options.refused_flag(flag);
  }
  for (const char* value : {"-f,--format",
                            "--additional-tag",
                            "--decryption-key",
                            "--dest-compress-format",
                            "--dest-compress-level",
                            "--dest-daemon-host",
                            "--dest-password",
                            "--dest-registry-token",
                            "--dest-shared-blob-dir",
                            "--dest-username",
                            "--encrypt-layer",
                            "--encryption-key",
                            "--multi-arch",
                            "--sign-by",
                            "--sign-by-sigstore",
                            "--sign-by-sigstore-private-key",
                            "--sign-by-sq-fingerprint",
                            "--sign-identity",
                            "--sign-passphrase-file",
                            "--src-daemon-host",
                            "--src-password",
                            "--src-registry-token",
                            "--src-shared-blob-dir",
                            "--src-username"}) {
    options.refused_value(value);
  }
}

}  // namespace

void declare_options(OptionSet& options, CopyArguments& copy) {
  options.argument("source", copy.source);
  options.argument("destination", copy.destination);
  options.value("--platform", copy.platform);
  options.number("--jobs,--image-parallel-copies", copy.jobs, k_jobs);
  declare(options, copy.transfer);
  options.flag("-q,--quiet", copy.quiet);
  RegistryFlags& source = copy.source_registry;
  options.flag("--src-tls-verify", source.tls_verify);
  options.value("--src-cert-dir", source.cert_dir);
  options.value("--src-creds,--screds", source.credentials);
  options.value("--src-authfile", source.auth_file);
  RegistryFlags& destination = copy.destination_registry;
  options.flag("--dest-tls-verify", destination.tls_verify);
  options.value("--dest-cert-dir", destination.cert_dir);
  options.value("--dest-creds,--dcreds", destination.credentials);
  options.value("--dest-authfile", destination.auth_file);
  options.value("--authfile", [&](const std::string& file) {
    for (RegistryFlags* side : {&source, &destination}) {
      if (!side->auth_file) side->auth_file = file;
    }
  });
  options.value("--digestfile", copy.digest_file);
  options.size("--dest-chunk-size", copy.chunk_size);
  for (const char* name : {"--preserve-digests", "--remove-signatures"}) options.granted(name);
  declare_refused(options);
}

int run_verb(const App& app, const CopyArguments& arguments) {
  const registry::ImageName source = registry::parse_image_name(arguments.source);
  const registry::ImageName destination = registry::parse_image_name(arguments.destination);
  check_destination(destination, arguments.destination);
  const InterruptWatch interrupt;
  const auto observer = make_progress(arguments.quiet ? ProgressStyle::none : app.global.progress);
  const Job job{interrupt.stop(), *observer};
  const registry::RetryPolicy retry = retry_policy(arguments.transfer, *observer);
  const RegistryAccess from(app, arguments.source_registry, job, retry);
  const RegistryAccess to(app, arguments.destination_registry, job, retry);
  const auto limiter = make_rate_limiter(arguments.transfer);
  const TransportAccess reading{app, from, job};
  const TransportAccess writing{app, to, job};
  const Copying copying{arguments, reading, writing, retry, limiter.get(), job};
  const auto context = [&] {
    return str("copy ", quoted(arguments.source), " to ", quoted(arguments.destination));
  };
  const Digest digest = in_context(context, [&] { return copy_to(destination, source, copying); });
  if (arguments.digest_file) write_digest_file(*arguments.digest_file, digest);
  return 0;
}

}  // namespace lade::cli
