// Whether a mirror has all that its names promise: every name to every blob, by size and digest.
#pragma once

#include "base/observer.hpp"
#include "oci/transport.hpp"
#include "registry/repository.hpp"
#include "registry/sync/mirror.hpp"
#include "registry/sync/mirror_trust.hpp"
#include "registry/sync/mirror_walk.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace lade::registry {

/// Something that is not as it should be.
struct MirrorProblem {
  enum class Kind {
    missing,   ///< there is no such blob
    damaged,   ///< its size or digest is wrong, or it cannot be read
    unusable,  ///< a manifest is what its digest says, and still makes no sense
    diff_id,   ///< a layer unpacks to something else than its image says
    rejected,  ///< the policy does not take the image
  };
  Kind kind = Kind::missing;
  Descriptor blob;
  BlobRole role = BlobRole::layer;
  std::string text;             ///< what is wrong
  std::set<std::string> names;  ///< the images that need it
};

/// What came of looking.
struct MirrorCheck {
  std::set<std::string> names;     ///< all images
  std::size_t blobs = 0;           ///< manifests included, each once
  std::uint64_t bytes = 0;         ///< of them
  std::size_t unneeded_blobs = 0;  ///< are there, and no image needs them
  std::uint64_t unneeded_bytes = 0;
  std::size_t judged = 0;  ///< images that the policy was asked about
  std::vector<MirrorProblem> problems;

  bool is_whole() const noexcept { return problems.empty(); }
  /// The images that lack something.
  std::set<std::string> broken_names() const;
};

/// How to look.
struct VerifyOptions {
  enum class DiffIds { skip, check };
  enum class Blobs { ask, read };  ///< of a registry: believe what it says, or fetch them all
  DiffIds diff_ids = DiffIds::skip;
  Blobs blobs = Blobs::ask;
  std::size_t jobs = 4;
  const MirrorTrust* trust = nullptr;  ///< without it no policy is asked
  /// What the policy calls an image of a repository.
  std::function<ImageScope(const ManifestKey&)> scope = {};
};

/// Looks at all images of a layout, and reads every blob that they need.
MirrorCheck verify_layout(const OciLayout& layout, const VerifyOptions& options, const Job& job);

/// Looks at images of a repository, all platforms of each. `tags` are those to look at.
MirrorCheck verify_repository(Repository& repository, const std::vector<ManifestKey>& keys,
                              const VerifyOptions& options, const Job& job);

/// Finds the place that the images of an origin (`docker://…`) can be read from.
using OpenOriginal = std::function<std::unique_ptr<ImageSource>(const std::string& origin)>;

/// What came of mending.
struct MirrorRepair {
  std::size_t fetched = 0;  ///< blobs and manifests
  std::uint64_t bytes = 0;
  std::vector<std::string> failures;
  MirrorCheck after;
};

/// Fetches what is missing or damaged from where each image came from, or from `from` if that is
/// not empty, and looks again.
MirrorRepair repair_mirror(MirrorDirectory& mirror, MirrorCheck check, const std::string& from,
                           const OpenOriginal& open, const VerifyOptions& options, const Job& job);

/// Mends what a repository lacks or has damaged, and looks again: `from` is another one that has
/// the images, by the same names. What the registry keeps as it was, though it took it again, is
/// told.
MirrorRepair repair_repository(Repository& repository, MirrorCheck check, ImageSource& from,
                               const std::vector<ManifestKey>& keys, const VerifyOptions& options,
                               const Job& job);

}  // namespace lade::registry
