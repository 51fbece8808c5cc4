#include "oci/manifest.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"

#include <utility>

namespace lade {

namespace {

/// What a document says that it is and what its members make of it.
struct Shape {
  std::string media_type;  ///< as stated, or empty
  ManifestKind kind = ManifestKind::unknown;
};

/// Refuses what two readers could take for two different things.
Shape shape_of(const JsonNode& root) {
  const bool image = root.has("layers") || root.has("config");
  const bool index = root.has("manifests");
  const bool schema1 = root.has("fsLayers");
  if (image && index) root.fail("has `manifests` beside `layers` or `config`");
  if (schema1 && (image || index)) root.fail("has `fsLayers` beside members of schema 2");

  Shape shape;
  shape.media_type = root.find_text("mediaType");
  if (image) shape.kind = ManifestKind::image;
  if (index) shape.kind = ManifestKind::index;
  if (schema1) shape.kind = ManifestKind::schema1;
  const ManifestKind stated = manifest_kind(shape.media_type);
  if (stated != ManifestKind::unknown && shape.kind != stated) {
    root.fail(str("has a mediaType that its members contradict: ", quoted(shape.media_type)));
  }
  return shape;
}

/// The type of a document that states none.
std::string_view implied_type(const JsonNode& root, ManifestKind kind) {
  switch (kind) {
    case ManifestKind::image: {
      const auto config = root.find("config");
      const bool docker = config && config->find_text("mediaType") == media_type::docker_config;
      return docker ? media_type::docker_manifest : media_type::oci_manifest;
    }
    case ManifestKind::index:
      return media_type::oci_index;
    case ManifestKind::schema1:
      return root.has("signatures") ? media_type::docker_schema1_signed
                                    : media_type::docker_schema1;
    default:
      return {};
  }
}

std::optional<std::map<std::string, std::string>> read_text_map(const JsonNode& node,
                                                                std::string_view name) {
  const auto found = node.find(name);
  if (!found) return std::nullopt;
  return found->text_map();
}

Platform read_platform(const JsonNode& node) {
  return {.os = node.find_text("os"),
          .architecture = node.find_text("architecture"),
          .variant = node.find_text("variant"),
          .os_version = node.find_text("os.version")};
}

Digest read_digest(const JsonNode& node) {
  auto digest = Digest::try_parse(node.text());
  if (!digest) node.fail(str("is not a digest: ", quoted(node.text().substr(0, 160))));
  return *std::move(digest);
}

Descriptor read_descriptor(const JsonNode& node) {
  Descriptor descriptor{.media_type = node.get("mediaType").text(),
                        .digest = read_digest(node.get("digest")),
                        .size = node.get("size").size(),
                        .artifact_type = node.find_text("artifactType")};
  if (const auto urls = node.find("urls")) descriptor.urls = urls->texts();
  descriptor.annotations = read_text_map(node, "annotations");
  if (const auto platform = node.find("platform")) descriptor.platform = read_platform(*platform);
  return descriptor;
}

/// An array that the specification requires; Go writes an empty one as null.
std::vector<Descriptor> read_descriptors(const JsonNode& root, std::string_view name) {
  if (!root.has(name)) root.fail(str("lacks ", quoted(name)));
  std::vector<Descriptor> descriptors;
  if (const auto array = root.find(name)) {
    for (const JsonNode& item : array->items()) descriptors.push_back(read_descriptor(item));
  }
  return descriptors;
}

std::optional<Descriptor> read_subject(const JsonNode& root) {
  const auto subject = root.find("subject");
  if (!subject) return std::nullopt;
  return read_descriptor(*subject);
}

/// The checks that manifests and indexes have in common.
void expect_kind(const JsonNode& root, ManifestKind kind) {
  const Shape shape = shape_of(root);
  const bool right_type = shape.media_type.empty() || manifest_kind(shape.media_type) == kind;
  if (!right_type) root.fail(str("has the mediaType ", quoted(shape.media_type)));
  const JsonNode version = root.get("schemaVersion");
  if (version.size() != 2) version.fail("is not 2");
}

}  // namespace

RawManifest RawManifest::make(std::string bytes, std::string media_type) {
  Digest digest = Digest::of(bytes);
  return {std::move(bytes), std::move(media_type), std::move(digest)};
}

std::string detect_manifest_type(std::string_view bytes, std::string_view fallback) {
  const JsonValue document = parse_json(bytes, "manifest");
  const JsonNode root(document, "manifest");
  const Shape shape = shape_of(root);
  const ManifestKind expected = manifest_kind(fallback);
  const std::string_view expected_type = trim(fallback.substr(0, fallback.find(';')));

  const bool both_known =
      (shape.kind == ManifestKind::image || shape.kind == ManifestKind::index) &&
      (expected == ManifestKind::image || expected == ManifestKind::index);
  if (both_known && shape.kind != expected) {
    root.fail(str("was announced as ", quoted(expected_type), " but its members contradict that"));
  }
  if (!shape.media_type.empty()) return shape.media_type;
  if (shape.kind == ManifestKind::unknown || shape.kind == expected) {
    return std::string(expected_type);
  }
  return std::string(implied_type(root, shape.kind));
}

Manifest parse_manifest(std::string_view bytes) {
  const JsonValue document = parse_json(bytes, "manifest");
  const JsonNode root(document, "manifest");
  expect_kind(root, ManifestKind::image);
  return {.config = read_descriptor(root.get("config")),
          .layers = read_descriptors(root, "layers"),
          .annotations = read_text_map(root, "annotations"),
          .artifact_type = root.find_text("artifactType"),
          .subject = read_subject(root)};
}

Index parse_index(std::string_view bytes) {
  const JsonValue document = parse_json(bytes, "index");
  const JsonNode root(document, "index");
  expect_kind(root, ManifestKind::index);
  return {.manifests = read_descriptors(root, "manifests"),
          .annotations = read_text_map(root, "annotations"),
          .artifact_type = root.find_text("artifactType"),
          .subject = read_subject(root)};
}

}  // namespace lade
