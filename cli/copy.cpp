#include "registry/copy.hpp"

#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/progress.hpp"
#include "cli/transfer.hpp"
#include "registry/layout_sink.hpp"
#include "registry/layout_source.hpp"
#include "registry/transport_name.hpp"

namespace lade::cli {

namespace {

using registry::LayoutImageName;
using registry::RegistryImageName;

/// Where an image comes from, and what it is called there.
struct Origin {
  std::unique_ptr<ImageSource> source;
  ManifestKey key;
};

Origin open_origin(const RegistryImageName& name, const RegistryAccess& registries) {
  return {std::make_unique<registry::MirroredRepository>(
              registries.open(name.reference, registry::Reading::image)),
          manifest_key(name.reference)};
}

Origin open_origin(const LayoutImageName& name, const RegistryAccess&) {
  registry::OciLayout layout = registry::OciLayout::open(name.path);
  ManifestKey key = name.key;
  if (name.position) key = layout.read_index().get_at(*name.position).descriptor.digest;
  return {std::make_unique<registry::OciLayoutSource>(std::move(layout)), std::move(key)};
}

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

/// The place to copy to, if it is one that can be written.
LayoutImageName writable_name(const std::string& text) {
  const registry::ImageName name = registry::parse_image_name(text);
  const auto* layout = std::get_if<LayoutImageName>(&name);
  if (layout == nullptr) {
    throw UsageError(str("copy to ", quoted(text), ": writing to a registry is not supported yet"));
  }
  if (layout->position || std::holds_alternative<Digest>(layout->key)) {
    throw UsageError(str("copy to ", quoted(text), ": a destination has a name, not a ",
                         layout->position ? "position" : "digest"));
  }
  return *layout;
}

void copy_to_layout(const Origin& origin, const LayoutImageName& destination,
                    const CopyArguments& arguments, const registry::RetryPolicy& retry,
                    const Job& job) {
  const auto limiter = make_rate_limiter(arguments.transfer);
  // The image first: a name that does not exist makes no layout.
  auto image =
      registry::resolve_image(*origin.source, origin.key, chosen_platform(arguments.platform));
  if (image.raw.media_type == media_type::docker_manifest) {
    job.observer.note(NoteLevel::warning,
                      "the image is in Docker's format and is kept so: skopeo and umoci read only "
                      "the OCI format from a layout");
  }
  ChosenImage source(*origin.source, std::move(image.raw));
  registry::OciLayoutSink sink(registry::OciLayout::ensure(destination.path), job.stop);
  registry::copy_image(source, sink,
                       {.source_key = source.key(),
                        .sink_key = destination.key,
                        .platform = chosen_platform(arguments.platform),
                        .jobs = arguments.jobs,
                        .retry = retry,
                        .limiter = limiter.get()},
                       job);
}

}  // namespace

int run_verb(const App& app, const CopyArguments& arguments) {
  const registry::ImageName source = registry::parse_image_name(arguments.source);
  const LayoutImageName destination = writable_name(arguments.destination);

  const InterruptWatch interrupt;
  const auto observer = make_progress(arguments.quiet ? ProgressStyle::none : app.global.progress);
  const Job job{interrupt.stop(), *observer};
  const registry::RetryPolicy retry = retry_policy(arguments.transfer, *observer);
  const RegistryAccess registries(app, arguments.source_registry, job, retry);
  const auto context = [&] {
    return str("copy ", quoted(arguments.source), " to ", quoted(arguments.destination));
  };
  in_context(context, [&] {
    const Origin origin =
        std::visit([&](const auto& name) { return open_origin(name, registries); }, source);
    copy_to_layout(origin, destination, arguments, retry, job);
  });
  return 0;
}

}  // namespace lade::cli
