// From the names of a layout to every blob that they need.
#pragma once

#include "base/error.hpp"
#include "oci/manifest.hpp"
#include "registry/transports/oci_layout.hpp"

#include <exception>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace lade::registry {

/// What a blob is to the manifest that names it.
enum class BlobRole { manifest, config, layer };

/// Walks from manifests to what they refer to. Manifests are verified and parsed once, however many
/// names lead to them. Not for use by several threads.
class MirrorWalker {
 public:
  /// What is found on the way. A manifest is seen before what it refers to; one that cannot be used
  /// is told to `broken` instead, and nothing below it is seen.
  struct Visitor {
    std::function<void(const Descriptor&, BlobRole)> see;
    std::function<void(const Descriptor&, const Error&)> broken;
  };

  explicit MirrorWalker(const OciLayout& layout) : layout_(layout) {}

  /// Walks from one manifest. What several names share is seen once for each.
  void walk(const Descriptor& manifest, const Visitor& visitor);

 private:
  struct Child {
    Descriptor descriptor;
    BlobRole role;
  };
  /// What was found in a manifest: what it refers to, or why it cannot be used.
  struct Known {
    std::vector<Child> children;
    std::exception_ptr problem;
  };

  const Known& read(const Descriptor& manifest);
  void walk_below(const Descriptor& manifest, const Visitor& visitor, int depth);

  const OciLayout& layout_;
  std::map<Digest, Known> known_;
};

/// The manifest that a descriptor names, verified. Throws NotFound, Refused, InvalidData.
RawManifest read_manifest(const OciLayout& layout, const Descriptor& manifest);

/// All blobs that the index refers to, at any depth. Throws if a manifest on the way cannot be
/// read: what it needs would not be known.
std::set<Digest> reachable_blobs(const OciLayout& layout, const LayoutIndex& index);

}  // namespace lade::registry
