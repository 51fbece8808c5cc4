// Which blobs and layers nobody needs: a pure function over a view of the index and the disk.
#pragma once

#include "oci/digest.hpp"

#include <set>
#include <string>
#include <vector>

namespace lade::store {

/// Everything that decides what may go.
struct Inventory {
  std::set<std::string> needed_blobs;   ///< digests that an image needs
  std::set<std::string> needed_layers;  ///< keys that a chain of an image needs
  std::set<std::string> held;           ///< lease items of living processes
  std::set<std::string> blob_rows;      ///< digests
  std::set<std::string> layer_rows;     ///< keys
  std::set<std::string> blob_files;     ///< digests of the files in blobs/
  std::set<std::string> layer_files;    ///< directories in layers/
};

/// What may go: rows of the index, and files. Those of one thing may be there without the other.
struct Garbage {
  std::vector<std::string> blob_rows;
  std::vector<std::string> layer_rows;
  std::vector<std::string> blob_files;
  std::vector<std::string> layer_files;
};

/// What no image needs and nobody holds.
Garbage find_garbage(const Inventory& inventory);

}  // namespace lade::store
