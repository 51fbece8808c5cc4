// Layers compressed anew on their way: inflated, checked against their DiffID, compressed, and kept
// in a file without a name until their new digest is known.
#pragma once

#include "base/compress.hpp"
#include "registry/conversion.hpp"
#include "registry/copy_blobs.hpp"

#include <optional>
#include <stop_token>
#include <string>

namespace lade::registry {

/// How layers are compressed anew.
struct Recompression {
  /// Which layers are: all that are not compressed that way, or only those that are plain.
  enum class Which { all, uncompressed };
  Compression to = Compression::gzip;
  std::optional<int> level = {};  ///< the compressor's own default without it
  Which which = Which::all;
};

/// Whether a layer is to be compressed anew. Never what is no layer of files, and no foreign one.
bool is_recompressed(const Descriptor& layer, const DiffId& diff_id, const Recompression& wanted);

/// Compresses a layer anew and puts it to all destinations that have not got the result. `scratch`
/// is a directory for a file of its size. Throws Refused if the layer is not what its digest and
/// its DiffID say. REQUIRES: item.diff_id.
NewLayer copy_recompressed(const BlobCopying& how, const BlobItem& item,
                           const Recompression& wanted, const std::string& scratch,
                           const std::stop_token& stop);

}  // namespace lade::registry
