#include "base/error.hpp"
#include "oci/image_config.hpp"
#include "oci/json.hpp"
#include "registry/transports/docker_archive.hpp"
#include "registry/transports/json_extents.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/targets.hpp"

namespace lade::fuzz {

namespace {

void check_line(const Error& error) {
  check(std::string_view(error.what()).find('\n') == std::string_view::npos,
        "messages are one line");
}

/// The legacy documents of an image with that configuration are JSON, whatever is in it.
void check_legacy(std::string_view config) {
  const registry::DockerArchiveImage image{.config = Digest::of(config),
                                           .config_bytes = std::string(config),
                                           .layers = parse_image_config(config).diff_ids,
                                           .tags = {Reference::parse("app:1")}};
  for (const auto& legacy : registry::legacy_layers(image)) {
    const JsonValue document = parse_json(legacy.json, "legacy image");
    check(JsonNode(document, "legacy image").get("id").text() == legacy.id, "an image has its id");
  }
  parse_json(registry::repositories_text({image}), "repositories");
  check(registry::parse_docker_archive(registry::docker_archive_text({image})).size() == 1,
        "what is written can be read");
}

}  // namespace

void fuzz_docker_archive(std::string_view input) {
  try {
    for (const auto& item : registry::parse_docker_archive(input)) {
      check(item.config.find('\0') == std::string::npos, "no name has a NUL");
    }
  } catch (const InvalidData& error) {
    check_line(error);
  }
  try {
    parse_json(input, "document");
    const std::string compact = registry::compact_json(input);
    parse_json(compact, "compact document");
    check(registry::compact_json(compact) == compact, "compact JSON stays what it is");
  } catch (const InvalidData& error) {
    check_line(error);
  }
  try {
    check_legacy(input);
  } catch (const InvalidData& error) {
    check_line(error);
  }
}

}  // namespace lade::fuzz
