// From the name of an image with its transport to a place that can be read or written: what all
// verbs that take such names share.
#pragma once

#include "base/observer.hpp"
#include "cli/connection.hpp"
#include "cli/verbs.hpp"
#include "oci/transport.hpp"
#include "registry/transports/transport_name.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lade::cli {

/// How places are reached. What is opened with it must not outlive it.
struct TransportAccess {
  const App& app;
  const RegistryAccess& registries;
  Job job;
  /// Where `oci:` layouts have their blobs, if not in themselves.
  std::optional<std::string> shared_blob_dir = {};
};

/// An image to be read, and what it is called at its place.
struct OpenedSource {
  std::shared_ptr<const void> keeper;  ///< what `source` stands on, if anything
  std::unique_ptr<ImageSource> source;
  ManifestKey key;
};

/// Opens the place that an image is read from. Throws NotFound if there is no such place.
OpenedSource open_source(const registry::ImageName& name, const TransportAccess& access);

/// How to write.
struct SinkOptions {
  std::uint64_t chunk_size = 0;  ///< of uploads to a registry, bytes; 0: as the registry likes it
  /// The repository of the same registry that the image comes from, whose blobs need not be sent.
  std::optional<std::string> source_path = {};
  std::vector<Reference> additional_tags = {};  ///< of an image in a docker-archive
};

/// A place to write to, and what the image will be called there.
struct OpenedSink {
  std::shared_ptr<void> keeper;  ///< what `sink` stands on, if anything
  std::unique_ptr<ImageSink> sink;
  ManifestKey key;
  TaskKind kind = TaskKind::fetch;  ///< what is said of each blob: fetched, or pushed
};

/// Throws UsageError if `name`, whose text is `text`, cannot be a destination.
void check_destination(const registry::ImageName& name, const std::string& text);

/// Opens (and makes, if need be) the place that an image is written to. REQUIRES:
/// check_destination().
OpenedSink open_sink(const registry::ImageName& name, const TransportAccess& access,
                     const SinkOptions& options);

}  // namespace lade::cli
