// The two roles that every place of images plays; copy_image (registry/copy.hpp) is the one algorithm
// between them: pull, push, copy, save, load and sync.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/stream.hpp"
#include "oci/descriptor.hpp"
#include "oci/manifest.hpp"

namespace lade {

/// Names a manifest at its place: a tag or a digest.
using ManifestKey = std::variant<std::string, Digest>;

/// `latest` or `sha256:…`.
std::string to_string(const ManifestKey& key);

/// A place that images are read from. THREADS: blob() may be called from several at once.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  /// The manifest or index; its digest is verified when `key` is one. Throws NotFound.
  virtual RawManifest manifest(const ManifestKey& key) = 0;
  /// The raw bytes of a blob, unverified. The source must outlive the result.
  virtual std::unique_ptr<Source> blob(const Descriptor& descriptor) = 0;
};

/// A place that images are written to. THREADS: has_blob() and put_blob() may be called from several
/// at once. Nothing is visible to others until commit(); without it, what was put is discarded.
class ImageSink {
 public:
  virtual ~ImageSink() = default;
  /// Whether the blob is there already, so that put_blob() can be left out.
  virtual bool has_blob(const Descriptor& descriptor) = 0;
  /// Takes a blob; `bytes` is a verified stream (see verified_source.hpp) and is read to its end.
  virtual void put_blob(const Descriptor& descriptor, Source& bytes) = 0;
  /// Takes a manifest, after all that it refers to.
  virtual void put_manifest(const RawManifest& manifest, const ManifestKey& key) = 0;
  /// Makes everything visible at once.
  virtual void commit() = 0;
};

}  // namespace lade
