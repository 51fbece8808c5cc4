// What one state of a mirror has and another lacks, as one archive that can be carried to where the
// other is. docs/fleet.md describes its members.
#pragma once

#include "base/observer.hpp"
#include "base/stream.hpp"
#include "registry/sync/mirror.hpp"
#include "registry/transports/archive_file.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// What a mirror has: its images by name, and the blobs that they need with their sizes.
struct MirrorState {
  std::map<std::string, Descriptor> images;  ///< with what MirrorRecord reads from annotations
  std::map<Digest, std::uint64_t> blobs;

  /// What a layout has now. Throws if a manifest cannot be read: what it needs is not known then.
  static MirrorState of(const OciLayout& layout);
  /// Parses a state file. Throws InvalidData naming `document`.
  static MirrorState parse(std::string_view text, std::string_view document);
  /// As a file: a line for each image and each blob.
  std::string text() const;
};

/// What a bundle says of itself: its first member.
struct BundleHead {
  std::map<std::string, Descriptor> images;
  std::map<std::string, Digest> gone;         ///< names that go, if they stand for this
  std::map<Digest, std::uint64_t> contained;  ///< blobs that are in it, by size
  std::map<Digest, std::uint64_t> needed;     ///< blobs that must be there already

  /// Throws InvalidData for what is not whole: the last line has the digest of all before it.
  static BundleHead parse(std::string_view text);
  std::string text() const;
};

/// What the other side has.
struct BundleBase {
  MirrorState state;
  /// Whether `state` is an older one of this mirror, so that a name that is in it and no longer
  /// here is to go there, too.
  enum class Names { add, add_and_remove };
  Names names = Names::add;
};

/// What is in a bundle from `layout` for who has `base`.
BundleHead plan_bundle(const OciLayout& layout, const BundleBase& base);

/// Writes it as a tar. Every blob is verified on its way. Throws Refused for a damaged one.
void write_bundle(const OciLayout& layout, const BundleHead& head, Sink& out, const Job& job);

/// What came of applying a bundle.
struct BundleApplied {
  std::size_t images = 0;   ///< that it names
  std::size_t removed = 0;  ///< names that went
  std::size_t blobs = 0;    ///< that were new
  std::uint64_t bytes = 0;  ///< of them
};

/// Puts a bundle's images into the mirror at `path`, which is made if nothing else is needed.
/// Before anything is written, the whole bundle is read and verified: each blob by its digest, and
/// that every image has all that it needs, here or there. Throws InvalidData for what is not a
/// whole bundle, Refused for a wrong digest, NotFound naming the blobs that the mirror lacks.
BundleApplied apply_bundle(const ArchiveFile& bundle, const std::string& path, std::size_t jobs,
                           const Job& job);

}  // namespace lade::registry
