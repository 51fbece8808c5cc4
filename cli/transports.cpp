#include "cli/transports.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/pull_image.hpp"
#include "cli/store_access.hpp"
#include "registry/repository_sink.hpp"
#include "registry/transports/directory_sink.hpp"
#include "registry/transports/directory_source.hpp"
#include "registry/transports/docker_archive_sink.hpp"
#include "registry/transports/docker_archive_source.hpp"
#include "registry/transports/layout_archive.hpp"
#include "registry/transports/layout_archive_sink.hpp"
#include "registry/transports/layout_sink.hpp"
#include "registry/transports/layout_source.hpp"
#include "snapshot/image_sink.hpp"
#include "store/image_source.hpp"

namespace lade::cli {

namespace {

using registry::DirectoryImageName;
using registry::DockerArchiveImageName;
using registry::LayoutArchiveImageName;
using registry::LayoutImageName;
using registry::RegistryImageName;
using registry::StoreImageName;

OpenedSource open(const RegistryImageName& name, const TransportAccess& access) {
  return {{},
          std::make_unique<registry::MirroredRepository>(
              access.registries.open(name.reference, registry::Reading::image)),
          manifest_key(name.reference)};
}

OpenedSource open(const LayoutImageName& name, const TransportAccess& access) {
  registry::OciLayout layout = registry::OciLayout::open(name.path);
  if (access.shared_blob_dir) {
    layout = std::move(layout).with_blobs_in(Directory::open(*access.shared_blob_dir));
  }
  ManifestKey key = name.key;
  if (name.position) key = layout.read_index().get_at(*name.position).descriptor.digest;
  return {{}, std::make_unique<registry::OciLayoutSource>(std::move(layout)), std::move(key)};
}

registry::ArchiveOptions archive_options(const TransportAccess& access) {
  return {.temporary_directory = access.app.environment.temporary_directory,
          .stop = access.job.stop};
}

OpenedSource open(const LayoutArchiveImageName& archive, const TransportAccess& access) {
  const LayoutImageName& name = archive.name;
  auto source = std::make_unique<registry::LayoutArchiveSource>(
      registry::LayoutArchive(registry::ArchiveFile::open(name.path, archive_options(access))));
  ManifestKey key = name.key;
  if (name.position) key = source->index().get_at(*name.position).descriptor.digest;
  return {{}, std::move(source), std::move(key)};
}

OpenedSource open(const DockerArchiveImageName& name, const TransportAccess& access) {
  auto source = std::make_unique<registry::DockerArchiveSource>(
      registry::ArchiveFile::open(name.path, archive_options(access)));
  ManifestKey key = name.reference ? name.reference->text() : std::string();
  if (name.position) key = source->manifest_at(*name.position).digest;
  return {{}, std::move(source), std::move(key)};
}

OpenedSource open(const DirectoryImageName& name, const TransportAccess&) {
  return {{}, std::make_unique<registry::DirectorySource>(name.path), std::string()};
}

OpenedSource open(const StoreImageName& name, const TransportAccess& access) {
  const auto store = std::make_shared<const store::Store>(open_store(access.app));
  const auto image = find_image(access.app, *store, name.name);
  if (!image) throw NotFound(str("no image ", quoted(name.name), " in the store"));
  auto source = std::make_unique<store::StoredImageSource>(*store, *image);
  ManifestKey key = source->key();
  return {store, std::move(source), std::move(key)};
}

void check(const RegistryImageName&, const std::string&) {}
void check(const DirectoryImageName&, const std::string&) {}

void check(const LayoutImageName& name, const std::string& text) {
  if (name.position || std::holds_alternative<Digest>(name.key)) {
    throw UsageError(str("copy to ", quoted(text), ": a destination has a name, not a ",
                         name.position ? "position" : "digest"));
  }
}

void check(const LayoutArchiveImageName& archive, const std::string& text) {
  check(archive.name, text);
}

void check(const DockerArchiveImageName& name, const std::string& text) {
  if (name.position) {
    throw UsageError(str("copy to ", quoted(text), ": a destination has a name, not a position"));
  }
}

void check(const StoreImageName& name, const std::string& text) {
  if (Reference::parse(name.name).digest()) {
    throw UsageError(str("copy to ", quoted(text), ": a destination has a tag, not a digest"));
  }
}

OpenedSink make(const RegistryImageName& name, const TransportAccess& access,
                const SinkOptions& options) {
  const Reference& reference = name.reference;
  registry::RepositorySink::Options upload{.upload = {options.chunk_size},
                                           .source_path = options.source_path,
                                           .signatures = access.registries.signatures(reference)};
  auto sink = std::make_unique<registry::RepositorySink>(
      reference, access.registries.direct(reference.repository()), access.job.stop,
      std::move(upload));
  return {{}, std::move(sink), manifest_key(reference), TaskKind::push};
}

OpenedSink make(const LayoutImageName& name, const TransportAccess& access, const SinkOptions&) {
  const registry::LayoutPlace place{name.path, access.shared_blob_dir};
  return {{},
          std::make_unique<registry::OciLayoutSink>(place, access.job.stop,
                                                    registry::LayoutFormats::oci),
          name.key};
}

OpenedSink make(const LayoutArchiveImageName& archive, const TransportAccess& access,
                const SinkOptions&) {
  return {{},
          std::make_unique<registry::LayoutArchiveSink>(archive.name.path, archive_options(access)),
          archive.name.key};
}

OpenedSink make(const DockerArchiveImageName& name, const TransportAccess& access,
                const SinkOptions& options) {
  registry::DockerArchiveOptions how{
      .additional_tags = options.additional_tags,
      .temporary_directory = access.app.environment.temporary_directory,
      .stop = access.job.stop};
  return {{},
          std::make_unique<registry::DockerArchiveSink>(name.path, std::move(how)),
          name.reference ? name.reference->text() : std::string()};
}

OpenedSink make(const DirectoryImageName& name, const TransportAccess& access, const SinkOptions&) {
  return {{}, std::make_unique<registry::DirectorySink>(name.path, access.job.stop), std::string()};
}

OpenedSink make(const StoreImageName& name, const TransportAccess& access, const SinkOptions&) {
  const Reference reference = Reference::parse(name.name).with_default_tag();
  const auto store = std::make_shared<store::Store>(open_store(access.app));
  auto sink =
      std::make_unique<snapshot::LocalImageSink>(*store, std::vector{reference}, access.job);
  return {store, std::move(sink), manifest_key(reference)};
}

}  // namespace

OpenedSource open_source(const registry::ImageName& name, const TransportAccess& access) {
  return std::visit([&](const auto& place) { return open(place, access); }, name);
}

void check_destination(const registry::ImageName& name, const std::string& text) {
  std::visit([&](const auto& place) { check(place, text); }, name);
}

OpenedSink open_sink(const registry::ImageName& name, const TransportAccess& access,
                     const SinkOptions& options) {
  return std::visit([&](const auto& place) { return make(place, access, options); }, name);
}

}  // namespace lade::cli
