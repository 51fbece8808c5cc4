// Platforms, in Go's names, and the choice of one from an index.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade {

struct Descriptor;

/// Operating system and processor that an image is for. image-spec, image-index.md, "platform".
struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;     ///< e.g. `v8`; empty when there is none
  std::string os_version;  ///< only on Windows
  bool operator==(const Platform&) const = default;
};

/// The platform that this program runs on.
Platform host_platform();

/// Parses `os/arch[/variant]`. Throws UsageError.
Platform parse_platform(std::string_view text);

/// `os/arch[/variant]`.
std::string to_string(const Platform& platform);

/// The entry of an index that fits `wanted` best: the exact variant, else the highest lower ARM
/// variant, else one without a variant, else an image that names no platform at all. Entries for
/// unknown platforms (attestations) never fit.
const Descriptor* find_platform(const std::vector<Descriptor>& manifests, const Platform& wanted);

}  // namespace lade
