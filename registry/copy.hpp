// The one algorithm between two places of images: pull, push, copy, save and load are copy_image().
// Order: blobs, config, manifest, index, tag, commit; nothing refers to what is not there yet.
#pragma once

#include "base/observer.hpp"
#include "oci/transport.hpp"
#include "registry/connection.hpp"
#include "registry/rate_limiter.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lade::registry {

/// An image as its source names it, resolved to one platform.
struct ResolvedImage {
  std::vector<RawManifest> indexes;  ///< from the named one inwards; empty if there was none
  RawManifest raw;                   ///< the manifest of the chosen platform
  Manifest manifest;                 ///< the same, parsed

  /// What the name stands for: the outermost index, else the manifest.
  const RawManifest& top() const { return indexes.empty() ? raw : indexes.front(); }
};

/// Fetches the manifest `key` and, through indexes, the one for `platform`. Throws NotFound listing
/// what there is when no entry fits, InvalidData for what is not an image.
ResolvedImage resolve_image(ImageSource& source, const ManifestKey& key, const Platform& platform);

/// Throws InvalidData, in skopeo's words, if a manifest is that of an artifact (a chart, a model)
/// rather than an image.
void require_image(const ResolvedImage& image);

/// A small blob (a config) as a whole, verified. At most `cap` bytes, else InvalidData; retried.
std::string read_blob(ImageSource& source, const Descriptor& descriptor, std::size_t cap,
                      const Job& job, const RetryPolicy& retry = {});

/// What to copy.
struct CopyRequest {
  ManifestKey source_key;
  ManifestKey sink_key;             ///< the name at the destination
  Platform platform;                ///< which entry of an index
  std::size_t jobs = 4;             ///< blobs in flight
  RetryPolicy retry = {};           ///< for each blob
  TaskKind kind = TaskKind::fetch;  ///< what is said of each blob: fetched, or pushed
  RateLimiter* limiter = nullptr;   ///< for blobs; may be shared with other copies
};

/// What was copied.
struct CopyResult {
  ResolvedImage image;
  std::size_t blobs_fetched = 0;
  std::size_t blobs_reused = 0;     ///< nothing of them had to be fetched
  std::uint64_t bytes_fetched = 0;  ///< of blobs
};

/// Copies one image and the indexes that lead to it. Every blob that the sink has not got goes
/// there as a verified stream: what the sink kept of it, then the rest, continued where it broke
/// off. A stream of several pieces whose digest is wrong is fetched once more as a whole, so
/// sink.put_blob() may be called again for a blob whose stream threw. Commits the sink at the end;
/// after an exception nothing was committed.
CopyResult copy_image(ImageSource& source, ImageSink& sink, const CopyRequest& request,
                      const Job& job);

}  // namespace lade::registry
