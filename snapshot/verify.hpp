// Whether the store still is what was put into it: the index, the blobs, the unpacked layers.
#pragma once

#include "base/observer.hpp"
#include "store/store.hpp"

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace lade::snapshot {

/// Something that is wrong.
struct Finding {
  std::string object;   ///< ``blob sha256:…``, ``layer KEY``, ``index``
  std::string problem;  ///< ``is missing``, ``has digest …``, `` `usr/bin/x` has other content``
};

/// What verify_store() found.
struct VerifyReport {
  std::size_t blobs = 0;
  std::size_t layers = 0;
  std::size_t unrecorded = 0;  ///< layers of a lade that kept no record of them; not looked at
  std::vector<Finding> findings;
  std::vector<std::string> strays;  ///< ``blob sha256:…``, ``layer KEY``: of no image; harmless
  std::set<Digest> damaged_blobs;
  std::set<std::string> damaged_layers;            ///< keys
  std::vector<store::StoredImage> damaged_images;  ///< that need one of those
};

/// Re-hashes every blob, compares every layer with its record and with what the index says of it,
/// and every image with its config; lets SQLite check the index, and looks for what no image needs.
/// What is removed meanwhile is not reported. Throws Cancelled.
VerifyReport verify_store(store::Store& store, std::size_t jobs, const Job& job);

/// Takes what is damaged out of the store, so that a pull, or unpacking again, brings it back.
/// Throws Busy if a running container needs a layer of it.
void discard_damaged(store::Store& store, const VerifyReport& report);

}  // namespace lade::snapshot
