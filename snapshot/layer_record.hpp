// What a layer looked like when it was unpacked, to compare it with later: one line an inode, in
// the order of their paths.
#pragma once

#include "base/directory.hpp"
#include "base/observer.hpp"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace lade::snapshot {

/// Checksums of regular files, by inode, as they were written.
using ContentChecksums = std::unordered_map<ino_t, std::uint64_t>;

/// Hears how many bytes more were read.
using BytesRead = std::function<void(std::uint64_t)>;

/// Describes `tree` (as `.`) and everything below it: type, mode, owner, size, time, content,
/// attributes, path. What `known` has no checksum of is read.
std::string record_layer(const Directory& tree, const ContentChecksums& known,
                         const std::stop_token& stop = {}, const BytesRead& on_bytes = {});

/// One way in which a layer is not what it was.
struct LayerDifference {
  std::string path;
  std::string what;  ///< ``is missing``, ``has other content``
};

/// Compares two records; at most `most` differences. Records of earlier versions say nothing of the
/// tree's own directory: then it is not compared.
std::vector<LayerDifference> compare_records(const std::string& before, const std::string& now,
                                             std::size_t most);

}  // namespace lade::snapshot
