// The one algorithm between places of images: pull, push, copy, sync, save and load are
// copy_image(). Order: blobs, manifests, the lists that they are in, the name, commit; nothing
// refers to what is not there yet.
#pragma once

#include "base/observer.hpp"
#include "oci/transport.hpp"
#include "registry/connection.hpp"
#include "registry/conversion.hpp"
#include "registry/copy_blobs.hpp"
#include "registry/image_tree.hpp"
#include "registry/rate_limiter.hpp"
#include "registry/recompression.hpp"
#include "registry/signing/copy_signatures.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lade::registry {

/// Whether bytes may be changed where a destination cannot hold them as they are.
enum class Digests { preserve_where_possible, preserve };

/// What is wanted to be changed on the way. Without it every byte stays what it is, unless a
/// destination cannot hold it.
struct Changes {
  std::optional<ManifestFormat> format = {};
  std::optional<Recompression> recompression = {};
  Digests digests = Digests::preserve_where_possible;
  std::string scratch = "/var/tmp";  ///< a directory for what is compressed anew
};

/// Whether what refers to a manifest (signatures, lists of contents) is copied with it.
enum class ReferrersToo { no, yes };

/// What becomes of layers that lie at URLs of others and not at the source.
enum class ForeignLayers { refuse, leave_out };

/// What to copy.
struct CopyRequest {
  ManifestKey source_key;
  ManifestKey sink_key;      ///< the name at the destination
  Platform platform;         ///< the system's, for Instances::Which::system
  Instances instances = {};  ///< which of the manifests of a list
  Changes changes = {};      ///< what may not stay as it is
  ReferrersToo referrers = ReferrersToo::no;
  ForeignLayers foreign_layers = ForeignLayers::refuse;
  CopySignatures signatures = {};   ///< which images are taken, and what signs them
  std::size_t jobs = 4;             ///< blobs in flight, of all manifests together
  RetryPolicy retry = {};           ///< for each blob
  TaskKind kind = TaskKind::fetch;  ///< what is said of each blob: fetched, or pushed
  RateLimiter* limiter = nullptr;   ///< for blobs; may be shared with other copies
};

/// What was copied.
struct CopyResult {
  /// What the name stands for at the source, or of that what was chosen.
  RawManifest source = RawManifest::make("", "");
  /// What it stands for at the destination: the same unless changed.
  RawManifest manifest = RawManifest::make("", "");
  std::size_t images = 0;     ///< manifests of images
  std::size_t listed = 0;     ///< entries of the list, copied or not; 0 if there is none
  std::size_t referrers = 0;  ///< manifests that refer to others
  std::size_t blobs_fetched = 0;
  std::size_t blobs_reused = 0;     ///< nothing of them had to be fetched
  std::uint64_t bytes_fetched = 0;  ///< of blobs
};

/// Copies what a name stands for. Every blob that the sink has not got goes there as a verified
/// stream: what the sink kept of it, then the rest, continued where it broke off. A stream of
/// several pieces whose digest is wrong is fetched once more as a whole, so sink.put_blob() may be
/// called again for a blob whose stream threw. Commits the sink at the end; after an exception
/// nothing was committed.
CopyResult copy_image(ImageSource& source, ImageSink& sink, const CopyRequest& request,
                      const Job& job);

/// One of several destinations.
struct CopyTarget {
  ImageSink& sink;
  ManifestKey key;   ///< the name there
  std::string name;  ///< for messages
  /// What the image will be called there, to sign it as; nothing where places have no such names.
  std::optional<Reference> reference = {};
};

/// What came of one destination.
struct CopyOutcome {
  std::exception_ptr failure = {};  ///< why nothing was committed there, if it is known
  bool committed = false;
  CopyResult result = {};  ///< if it was committed
};

/// What a failing destination means for the others.
enum class OnFailure { stop, go_on };

/// copy_image() to several destinations by reading once; request.sink_key does not matter. What
/// one of them does is not seen by the others; unless they are to go on, nothing is committed
/// anywhere after a failure. Throws if the source fails, and Cancelled.
std::vector<CopyOutcome> copy_image_to_all(ImageSource& source, std::span<const CopyTarget> targets,
                                           const CopyRequest& request, OnFailure on_failure,
                                           const Job& job);

}  // namespace lade::registry
