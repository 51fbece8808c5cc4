// The two roles that every place of images plays; copy_image (registry/copy.hpp) is the one
// algorithm between them: pull, push, copy, save, load and sync.
#pragma once

#include "base/stream.hpp"
#include "oci/descriptor.hpp"
#include "oci/manifest.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lade {

/// Names a manifest at its place: a tag or a digest.
using ManifestKey = std::variant<std::string, Digest>;

/// `latest` or `sha256:…`.
std::string to_string(const ManifestKey& key);

/// Which bytes of a blob are wanted, and until when.
struct BlobRequest {
  std::uint64_t offset = 0;  ///< the first one; less than the blob's size
  std::stop_token stop;      ///< requested: the stream ends in Cancelled as soon as it can
};

/// The bytes of a blob, unverified.
struct BlobStream {
  std::uint64_t offset = 0;  ///< of the first byte: what was asked for, else 0
  std::unique_ptr<Source> bytes;
};

/// A place that images are read from. THREADS: blob() and open_blob() may be called from several at
/// once.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  /// The manifest or index; its digest is verified when `key` is one. Throws NotFound.
  virtual RawManifest manifest(const ManifestKey& key) = 0;
  /// The raw bytes of a blob, unverified. The source must outlive the result.
  virtual std::unique_ptr<Source> blob(const Descriptor& descriptor) = 0;
  /// The same from some byte on. A place that cannot begin in the middle begins at the beginning.
  virtual BlobStream open_blob(const Descriptor& descriptor, const BlobRequest& /*request*/) {
    return {.bytes = blob(descriptor)};
  }
  /// A blob's digest and size where nothing else tells the size, as Docker's schema 1 does not.
  /// Throws NotFound, InvalidData where the place cannot tell.
  virtual Descriptor describe_blob(const Digest& digest);
  /// The manifests that refer to one by `subject`, where the place knows of such.
  virtual std::vector<Descriptor> list_referrers(const Digest& /*manifest*/) { return {}; }
  /// Whether it holds many images under names, among which those are that stand for what belongs to
  /// another (`sha256-HEX.sig`).
  virtual bool has_many_names() const { return false; }
  /// The signatures kept beside a manifest, each as `dir:` writes it into a file; none where the
  /// place keeps none.
  virtual std::vector<std::string> signatures(const Digest& /*manifest*/) { return {}; }
};

/// What a sink has of a blob that is still to be put.
struct KeptBytes {
  std::uint64_t size = 0;
  std::unique_ptr<Source> bytes;  ///< these first `size` bytes, unverified; none if `size` is 0
};

/// A place that images are written to. THREADS: has_blob(), begin_blob() and put_blob() may be
/// called from several at once. Nothing is visible to others until commit(); without it, what was
/// put is discarded, but for what a sink keeps to be continued (see begin_blob()).
class ImageSink {
 public:
  virtual ~ImageSink() = default;
  /// Whether the blob is there already, so that put_blob() can be left out.
  virtual bool has_blob(const Descriptor& descriptor) = 0;
  /// Before put_blob(): waits while another process puts the same blob, and says what is here of it
  /// already; nothing if that process completed it, so that has_blob() is true now. What is kept
  /// must be the beginning of the stream that put_blob() gets. Throws Cancelled.
  virtual std::optional<KeptBytes> begin_blob(const Descriptor& /*descriptor*/,
                                              const std::stop_token& /*stop*/) {
    return KeptBytes{};
  }
  /// Whether the place can hold a manifest of that media type; copy_image() converts what it
  /// cannot.
  virtual bool accepts(std::string_view /*media_type*/) const { return true; }
  /// Whether manifests that refer to others can be put beside them, by their digests.
  virtual bool takes_referrers() const { return false; }
  /// Takes a blob; `bytes` is a verified stream (see verified_source.hpp) and is read to its end.
  virtual void put_blob(const Descriptor& descriptor, Source& bytes) = 0;
  /// Takes a manifest, after all that it refers to.
  virtual void put_manifest(const RawManifest& manifest, const ManifestKey& key) = 0;
  /// Why this place cannot keep signatures (``oci: layouts keep no signatures``); nothing if it
  /// can.
  virtual std::optional<std::string> refuses_signatures() const {
    return "it has no place for signatures";
  }
  /// Keeps all signatures of a manifest that was put; called only where they are not refused.
  virtual void put_signatures(const Digest& /*manifest*/,
                              const std::vector<std::string>& /*signatures*/) {}
  /// Makes everything visible at once.
  virtual void commit() = 0;
};

}  // namespace lade
