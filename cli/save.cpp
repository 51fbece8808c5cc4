#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/image_names.hpp"
#include "cli/progress.hpp"
#include "cli/pull_image.hpp"
#include "cli/store_access.hpp"
#include "cli/transports.hpp"
#include "cli/verb_options.hpp"
#include "registry/copy.hpp"
#include "store/image_source.hpp"

#include <unistd.h>

namespace lade::cli {

namespace {

constexpr const char* k_standard_output = "/dev/stdout";

/// Several images for one place, which is committed once.
class HeldSink final : public ImageSink {
 public:
  explicit HeldSink(ImageSink& inner) : inner_(inner) {}
  bool has_blob(const Descriptor& descriptor) override { return inner_.has_blob(descriptor); }
  std::optional<KeptBytes> begin_blob(const Descriptor& descriptor,
                                      const std::stop_token& stop) override {
    return inner_.begin_blob(descriptor, stop);
  }
  bool accepts(std::string_view media_type) const override { return inner_.accepts(media_type); }
  void put_blob(const Descriptor& descriptor, Source& bytes) override {
    inner_.put_blob(descriptor, bytes);
  }
  void put_manifest(const RawManifest& manifest, const ManifestKey& key) override {
    inner_.put_manifest(manifest, key);
  }
  void commit() override {}

 private:
  ImageSink& inner_;
};

/// What an image is called in the place: in an archive or a layout the whole name, in a `dir:`
/// nothing.
ManifestKey key_of(const std::optional<Reference>& name, SaveFormat format) {
  return name && format != SaveFormat::docker_dir ? name->text() : std::string();
}

registry::ImageName place_of(SaveFormat format, const std::string& path) {
  switch (format) {
    case SaveFormat::docker_archive:
      return registry::DockerArchiveImageName{path, {}, {}};
    case SaveFormat::oci_archive:
      return registry::LayoutArchiveImageName{{path, std::string(), {}}};
    case SaveFormat::oci_dir:
      return registry::LayoutImageName{path, std::string(), {}};
    case SaveFormat::docker_dir:
      return registry::DirectoryImageName{path};
  }
  throw Error("save: no such format");
}

registry::Changes changes_of(const App& app, const SaveArguments& arguments) {
  registry::Changes changes{.scratch = app.environment.temporary_directory};
  if (arguments.compress) {
    changes.recompression = {.which = registry::Recompression::Which::uncompressed};
  }
  return changes;
}

/// Copies all images to the one place, which appears when they are all in it.
void save_all(const App& app, const store::Store& store, const SaveArguments& arguments,
              ImageSink& sink, const Job& job) {
  HeldSink held(sink);
  for (const std::string& text : arguments.names) {
    const auto context = [&] { return str("save image ", quoted(text)); };
    in_context(context, [&] {
      const auto image = find_image(app, store, text);
      if (!image) throw NotFound("it is not in the store");
      store::StoredImageSource source(store, *image);
      registry::copy_image(source, held,
                           {.source_key = source.key(),
                            .sink_key = key_of(find_name_meant(*image, text), arguments.format),
                            .platform = image->platform,
                            .changes = changes_of(app, arguments)},
                           job);
    });
  }
  sink.commit();
}

void check(const SaveArguments& save) {
  if (save.names.empty()) throw UsageError("no image given");
  if (save.compress && save.format != SaveFormat::docker_dir) {
    throw UsageError("--compress goes with --format docker-dir only");
  }
  const bool is_directory =
      save.format == SaveFormat::oci_dir || save.format == SaveFormat::docker_dir;
  if (is_directory && !save.output) throw UsageError("a directory needs --output");
  if (save.names.size() > 1 && save.format == SaveFormat::docker_dir) {
    throw UsageError("--format docker-dir: such a directory holds one image");
  }
}

}  // namespace

void declare_options(OptionSet& options, SaveArguments& save) {
  options.arguments(save.names);
  options.value("-o,--output", save.output);
  options.choice("--format", save.format,
                 {{"docker-archive", SaveFormat::docker_archive},
                  {"oci-archive", SaveFormat::oci_archive},
                  {"oci-dir", SaveFormat::oci_dir},
                  {"docker-dir", SaveFormat::docker_dir}});
  // Several images go into one archive without being asked twice.
  options.granted("-m,--multi-image-archive");
  options.flag("--compress", save.compress);
  // Layers that are plain stay so.
  options.granted("--uncompressed");
  options.flag("-q,--quiet", save.quiet);
  options.check([&] { check(save); });
}

int run_verb(const App& app, const SaveArguments& arguments) {
  if (!arguments.output && ::isatty(STDOUT_FILENO) != 0) {
    UsageError error("save: an archive is not written to a terminal");
    error.set_hint("name a file with --output, or redirect standard output");
    throw error;
  }
  const store::Store store = open_store(app);
  const InterruptWatch interrupt;
  const auto observer = make_progress(arguments.quiet ? ProgressStyle::none : app.global.progress);
  const Job job{interrupt.stop(), *observer};
  const RegistryAccess registries(app, {}, job);
  const OpenedSink place =
      open_sink(place_of(arguments.format, arguments.output.value_or(k_standard_output)),
                {app, registries, job}, {});
  save_all(app, store, arguments, *place.sink, job);
  return 0;
}

}  // namespace lade::cli
