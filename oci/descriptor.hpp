// Descriptors: what a blob is, how long, and its digest. image-spec, descriptor.md.
#pragma once

#include "oci/digest.hpp"
#include "oci/platform.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lade {

/// Points to content. Sizes are bytes.
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::vector<std::string> urls;  ///< foreign layers' sources; never fetched with credentials
  std::optional<std::map<std::string, std::string>> annotations;
  std::optional<Platform> platform;
  std::string artifact_type;
  bool operator==(const Descriptor&) const = default;
};

}  // namespace lade
