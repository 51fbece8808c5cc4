// Unpacks one layer into the form in which overlay stacks it: whiteouts become devices 0:0, opaque
// directories get their attribute. Knows nothing of stores and chains. image-spec, layer.md.
#pragma once

#include "base/directory.hpp"
#include "base/observer.hpp"
#include "base/patient_hasher.hpp"
#include "base/stream.hpp"
#include "oci/digest.hpp"
#include "snapshot/entry_applier.hpp"
#include "snapshot/layer_record.hpp"
#include "snapshot/layer_tree.hpp"
#include "snapshot/metadata.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace lade::snapshot {

/// Whether the disk gets each file as soon as it is written, so that little is left to be flushed.
enum class WriteBack { early, late };

/// How to apply a layer.
struct ApplyOptions {
  OverlayXattrs overlay = OverlayXattrs::trusted;
  /// What the layers below look like together, when that is known: links of theirs are followed and
  /// files of theirs can be linked to. Null: the layer alone.
  const Directory* lower = nullptr;
  WriteBack write_back = WriteBack::late;
  EntryLimits limits = {};
  /// Of the blob that the tar is read from, hashed by who reads it in this thread. May be null.
  PatientHasher* blob_hasher = nullptr;
};

/// What came out.
struct AppliedLayer {
  DiffId diff_id;              ///< of every byte of the tar, padding and all
  std::uint64_t tar_size = 0;  ///< bytes
  std::uint64_t entries = 0;
  bool root_entry = false;   ///< the tar describes the root directory
  bool root_opaque = false;  ///< nothing of the layers below shows
  /// Directories that it names something in without describing them: their attributes are those of
  /// the layers below. Parents first.
  std::vector<ImpliedDirectory> implied;
  /// Hard links to files that this layer does not have, left out. Empty if `lower` was given.
  std::vector<std::string> missing_links;
  /// Hard links that came before a file of this layer with their target's name: theirs only if no
  /// layer below has one of that name. Empty if `lower` was given.
  std::vector<std::string> forward_links;
  /// Of what was written, for the layer's record.
  ContentChecksums checksums;

  /// Whether it comes out the same whatever lies below.
  bool self_contained() const {
    return implied.empty() && missing_links.empty() && forward_links.empty();
  }
};

/// Applies the plain tar `tar` to the empty directory `target`. Throws InvalidData on a tar that is
/// malformed or not a tar, on names that leave the root and on forged whiteouts; Cancelled.
AppliedLayer apply_layer(Source& tar, const Directory& target, const ApplyOptions& options,
                         const Job& job);

}  // namespace lade::snapshot
