#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/pull_image.hpp"
#include "cli/store_access.hpp"
#include "cli/transfer.hpp"
#include "cli/verb_options.hpp"
#include "registry/copy.hpp"
#include "registry/repository_sink.hpp"
#include "store/image_source.hpp"

namespace lade::cli {

namespace {

/// Where an image goes that is pushed without a destination: to the name that it was found by.
Reference name_of(const store::StoredImage& image, const std::string& text,
                  const RegistryAccess& registries) {
  const bool is_id = text.starts_with("sha256:") || image.id.hex().starts_with(text);
  const auto candidates = is_id ? std::vector<Reference>() : registries.candidates(text);
  for (const Reference& candidate : candidates) {
    const Reference full = candidate.with_default_tag();
    for (const Reference& name : image.names) {
      if (name == full) return name;
    }
  }
  throw UsageError(str("push ", quoted(text), ": not a name with a registry; give a destination"));
}

/// The repository of the destination's registry that the image is known to be in, whose blobs need
/// not be sent.
std::optional<std::string> find_source_path(const store::StoredImage& image,
                                            const Reference& destination) {
  for (const std::vector<Reference>* names : {&image.digests, &image.names}) {
    for (const Reference& name : *names) {
      // The destination's own repository is asked for every blob: the image may have gone there.
      if (name.domain() == destination.domain() && name.path() != destination.path()) {
        return name.path();
      }
    }
  }
  return std::nullopt;
}

Digest push_image(const store::Store& store, const store::StoredImage& image,
                  const Reference& destination, const PushArguments& arguments,
                  const RegistryAccess& registries, const Job& job) {
  store::StoredImageSource source(store, image);
  registry::ConnectionOptions connection = registries.direct(destination.repository());
  const registry::RetryPolicy retry = connection.retry;
  registry::RepositorySink sink(
      destination, std::move(connection), job.stop,
      {.upload = {arguments.chunk_size}, .source_path = find_source_path(image, destination)});
  registry::copy_image(source, sink,
                       {.source_key = source.key(),
                        .sink_key = manifest_key(destination),
                        .platform = image.platform,
                        .jobs = arguments.jobs,
                        .retry = retry,
                        .kind = TaskKind::push},
                       job);
  return image.manifest.digest;
}

}  // namespace

void declare_options(OptionSet& options, PushArguments& push) {
  options.argument("image", push.image);
  options.argument(push.destination);
  options.number("--jobs", push.jobs, k_jobs);
  options.flag("-q,--quiet", push.quiet);
  options.value("--digestfile", push.digest_file);
  options.size("--chunk-size", push.chunk_size);
  options.number("--retry", push.transfer.retry_times, k_retries);
  declare(options, push.registry);
  for (const char* name : {"--remove-signatures", "--disable-content-trust"}) options.granted(name);
  // podman's, which lade cannot do yet.
  options.refused_flag("--compress");
  for (const char* name : {"-f,--format", "--compression-format", "--compression-level",
                           "--encrypt-layer", "--encryption-key", "--sign-by", "--sign-by-sigstore",
                           "--sign-by-sigstore-private-key", "--sign-passphrase-file"}) {
    options.refused_value(name);
  }
}

int run_verb(const App& app, const PushArguments& arguments) {
  const InterruptWatch interrupt;
  const auto observer = make_progress(arguments.quiet ? ProgressStyle::none : app.global.progress);
  const Job job{interrupt.stop(), *observer};
  const RegistryAccess registries(app, arguments.registry, job,
                                  retry_policy(arguments.transfer, *observer));
  // The destination is looked at before the store is.
  std::optional<Reference> destination;
  if (arguments.destination) {
    destination = registry_reference(*arguments.destination).with_default_tag();
  }
  const store::Store store = open_store(app);
  const auto image = find_image(app, store, arguments.image);
  if (!image) throw NotFound(str("push ", quoted(arguments.image), ": no such image in the store"));
  if (!destination) destination = name_of(*image, arguments.image, registries);

  const auto context = [&] {
    return str("push ", quoted(arguments.image), " to ", quoted(destination->text()));
  };
  const Digest digest = in_context(
      context, [&] { return push_image(store, *image, *destination, arguments, registries, job); });
  if (arguments.digest_file) write_digest_file(*arguments.digest_file, digest);
  return 0;
}

}  // namespace lade::cli
