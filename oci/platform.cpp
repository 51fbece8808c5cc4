#include "oci/platform.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/descriptor.hpp"
#include "oci/media_type.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <utility>

namespace lade {

namespace {

/// What the kernel and people call a processor, and what Go and the specification do.
struct Alias {
  std::string_view name;
  std::string_view architecture;
  std::string_view variant;
};

constexpr Alias k_aliases[] = {
    {"x86_64", "amd64", ""},      {"x86-64", "amd64", ""},
    {"aarch64", "arm64", ""},     {"i386", "386", ""},
    {"i486", "386", ""},          {"i586", "386", ""},
    {"i686", "386", ""},          {"armv5tel", "arm", "v5"},
    {"armv5tejl", "arm", "v5"},   {"armv6l", "arm", "v6"},
    {"armv7l", "arm", "v7"},      {"armv8l", "arm", "v8"},
    {"armhf", "arm", "v7"},       {"armel", "arm", "v6"},
    {"mips64el", "mips64le", ""}, {"loongarch64", "loong64", ""},
};

Platform make_platform(std::string_view os, std::string_view architecture,
                       std::string_view variant) {
  Platform platform{std::string(os), std::string(architecture), std::string(variant), {}};
  const auto* alias = std::find_if(std::begin(k_aliases), std::end(k_aliases),
                                   [&](const Alias& each) { return each.name == architecture; });
  if (alias == std::end(k_aliases)) return platform;
  platform.architecture = alias->architecture;
  if (variant.empty()) platform.variant = alias->variant;
  return platform;
}

/// One way to write a variant: the baseline of an architecture is the same as none.
std::string_view canonical_variant(const Platform& platform) {
  if (platform.architecture == "arm64" && platform.variant == "v8") return {};
  if (platform.architecture == "amd64" && platform.variant == "v1") return {};
  return platform.variant;
}

/// The variants that run on `wanted`, the best first.
std::vector<std::string> acceptable_variants(const Platform& wanted) {
  const std::string variant(canonical_variant(wanted));
  static const std::array<std::string, 4> arm = {"v8", "v7", "v6", "v5"};
  std::vector<std::string> variants;
  if (wanted.architecture == "arm") {
    // Any ARM may be meant when none is said, and plain `arm` is tried before the table.
    if (variant.empty()) variants.emplace_back();
    const auto* from = variant.empty() ? arm.begin() : std::find(arm.begin(), arm.end(), variant);
    variants.insert(variants.end(), from, arm.end());
    if (from == arm.end()) variants.push_back(variant);
    if (!variant.empty()) variants.emplace_back();
    return variants;
  }
  variants.push_back(variant);
  // The levels of amd64 (v2, v3, v4) and arm64 (v9) include those below.
  if (variant.size() == 2 && variant[0] == 'v') {
    for (char level = static_cast<char>(variant[1] - 1); level >= '1'; --level) {
      variants.push_back(str('v', level));
    }
  }
  if (!variant.empty()) variants.emplace_back();
  return variants;
}

bool fits(const Platform& offered, const Platform& wanted) {
  if (offered.os == "unknown" || offered.architecture == "unknown") return false;
  if (offered.os != wanted.os || offered.architecture != wanted.architecture) return false;
  return wanted.os_version.empty() || offered.os_version == wanted.os_version;
}

}  // namespace

Platform host_platform() {
  utsname system{};
  check_syscall(::uname(&system), [] { return std::string("ask for the host's platform"); });
  return make_platform(ascii_lower(system.sysname), system.machine, "");
}

Platform parse_platform(std::string_view text) {
  const auto parts = split(text, '/');
  const auto is_word = [](const std::string& part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    });
  };
  if (parts.size() < 2 || parts.size() > 3 || !std::all_of(parts.begin(), parts.end(), is_word)) {
    throw UsageError(str("invalid platform ", quoted(text),
                         ": expected `os/architecture` or `os/architecture/variant`"));
  }
  return make_platform(parts[0], parts[1], parts.size() == 3 ? parts[2] : "");
}

std::string to_string(const Platform& platform) {
  std::string text = str(platform.os, '/', platform.architecture);
  if (!platform.variant.empty()) text += str('/', platform.variant);
  return text;
}

const Descriptor* find_platform(const std::vector<Descriptor>& manifests, const Platform& wanted) {
  for (const std::string& variant : acceptable_variants(wanted)) {
    for (const Descriptor& entry : manifests) {
      if (entry.platform && fits(*entry.platform, wanted) &&
          canonical_variant(*entry.platform) == variant) {
        return &entry;
      }
    }
  }
  // Some tools write none. The image's own configuration says what it is for.
  const auto plain = std::find_if(manifests.begin(), manifests.end(), [](const Descriptor& entry) {
    return !entry.platform && entry.artifact_type.empty() &&
           manifest_kind(entry.media_type) == ManifestKind::image;
  });
  return plain == manifests.end() ? nullptr : &*plain;
}

}  // namespace lade
