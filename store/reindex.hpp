// The index made anew from the files (docs/store-format.md, "Rebuilding the index").
#pragma once

#include "oci/reference.hpp"
#include "store/found_images.hpp"

#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

namespace lade::store {

/// Where the names came from.
enum class NameSource {
  index,    ///< the old index, which could be read
  journal,  ///< ROOT/names, and what could still be read of the old index
  none      ///< there was neither
};

/// What reindex() made.
struct ReindexReport {
  std::size_t images = 0;
  std::size_t blobs = 0;
  std::size_t layers = 0;
  std::size_t names = 0;  ///< tags
  NameSource source = NameSource::none;
  std::vector<IncompleteImage> incomplete;       ///< manifests whose images are not whole
  std::vector<Reference> lost_names;             ///< tags whose images did not come back
  std::vector<std::string> stranded_containers;  ///< ids; their images did not come back
};

/// Rebuilds the index of the store at `path`, whatever has become of it, and puts it in the place
/// of the old one at the very end. Only whole images come back; names as ReindexReport::source
/// says. Throws Busy if another process uses the store, InvalidData if the old index is of a newer
/// schema, Cancelled.
ReindexReport reindex(const std::string& path, const std::stop_token& stop);

}  // namespace lade::store
