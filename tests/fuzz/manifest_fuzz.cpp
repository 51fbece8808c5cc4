#include "base/error.hpp"
#include "base/time.hpp"
#include "oci/image_config.hpp"
#include "oci/manifest.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/targets.hpp"

namespace lade::fuzz {

namespace {

/// What `parse` makes of the input; nothing if it refuses.
template <class Parse>
auto attempt(Parse&& parse) -> std::optional<decltype(parse())> {
  try {
    return parse();
  } catch (const InvalidData& error) {
    const std::string_view line = error.what();
    check(line.find('\n') == std::string_view::npos, "messages are one line");
    check(line.size() < 100'000, "messages are not endless");
    return std::nullopt;
  }
}

void check_descriptor(const Descriptor& descriptor) {
  check(descriptor.size <= 0x7fffffffffffffff, "sizes fit an offset");
  check(Digest::parse(descriptor.digest.text()) == descriptor.digest, "digests are well formed");
  check(descriptor.media_type.find('\0') == std::string::npos, "no text has a NUL");
}

}  // namespace

void fuzz_manifest(std::string_view input) {
  const auto manifest = attempt([&] { return parse_manifest(input); });
  const auto index = attempt([&] { return parse_index(input); });
  const auto type = attempt([&] { return detect_manifest_type(input, ""); });
  const auto config = attempt([&] { return parse_image_config(input); });
  check(!manifest || !index, "nothing is both manifest and index");
  if (manifest) {
    check(type && manifest_kind(*type) == ManifestKind::image, "a manifest is known as one");
    check_descriptor(manifest->config);
    for (const Descriptor& layer : manifest->layers) check_descriptor(layer);
  }
  if (index) {
    check(type && manifest_kind(*type) == ManifestKind::index, "an index is known as one");
    for (const Descriptor& entry : index->manifests) check_descriptor(entry);
    find_platform(index->manifests, {"linux", "arm", "v7", ""});
    find_platform(index->manifests, {"linux", "amd64", "v3", ""});
  }
  if (config && config->created) {
    if (const auto time = parse_rfc3339(*config->created)) {
      check(parse_rfc3339(format_rfc3339(*time)) == time, "a time stays what it is");
    }
  }
}

}  // namespace lade::fuzz
