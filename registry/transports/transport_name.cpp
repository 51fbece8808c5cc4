#include "registry/transports/transport_name.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/transports/layout_index.hpp"

#include <algorithm>
#include <array>

namespace lade::registry {

namespace {

/// The transports of skopeo that lade does not have.
constexpr std::array<std::string_view, 6> k_other_transports{
    "docker-daemon", "containers-storage", "sif", "ostree", "tarball", "atomic"};

[[noreturn]] void refuse(std::string_view text, std::string_view problem) {
  throw UsageError(str("image name ", lade::quoted(text), ": ", problem));
}

std::size_t parse_position(std::string_view text, std::string_view key) {
  const auto position = parse_number<std::size_t>(key.substr(1));
  if (!position) refuse(text, str(lade::quoted(key), " is not @ and a number"));
  return *position;
}

/// `latest`, `sha256:HEX` or `@3`, behind the path's colon.
void parse_layout_key(std::string_view text, std::string_view key, LayoutImageName& name) {
  if (key.starts_with('@')) {
    name.position = parse_position(text, key);
    return;
  }
  if (!is_valid_layout_name(key)) {
    refuse(text, str(lade::quoted(key), " is not a valid name in an OCI layout"));
  }
  if (const auto digest = Digest::try_parse(key)) {
    name.key = *digest;
  } else {
    name.key = std::string(key);
  }
}

LayoutImageName parse_layout_name(std::string_view text, std::string_view rest) {
  const std::size_t colon = rest.find(':');
  LayoutImageName name{std::string(rest.substr(0, colon)), std::string(), {}};
  if (name.path.empty()) refuse(text, "it has no path");
  if (colon != std::string_view::npos) parse_layout_key(text, rest.substr(colon + 1), name);
  return name;
}

DockerArchiveImageName parse_docker_archive_name(std::string_view text, std::string_view rest) {
  const std::size_t colon = rest.find(':');
  DockerArchiveImageName name{std::string(rest.substr(0, colon)), {}, {}};
  if (name.path.empty()) refuse(text, "it has no path");
  if (colon == std::string_view::npos) return name;
  const std::string_view key = rest.substr(colon + 1);
  if (key.starts_with('@')) {
    name.position = parse_position(text, key);
    return name;
  }
  name.reference = Reference::parse(key).with_default_tag();
  if (name.reference->digest()) refuse(text, "an image in a docker-archive has no digest");
  return name;
}

DirectoryImageName parse_directory_name(std::string_view text, std::string_view rest) {
  if (rest.empty()) refuse(text, "it has no path");
  return {std::string(rest)};
}

StoreImageName parse_store_name(std::string_view text, std::string_view rest) {
  if (rest.empty()) refuse(text, "it has no name");
  return {std::string(rest)};
}

RegistryImageName parse_registry_name(std::string_view text, std::string_view rest) {
  if (!rest.starts_with("//")) refuse(text, "`docker:` is followed by `//`");
  const Reference reference = Reference::parse(rest.substr(2));
  if (reference.tag() && reference.digest()) refuse(text, "it has both a tag and a digest");
  return {reference.with_default_tag()};
}

}  // namespace

ImageName parse_image_name(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view transport = text.substr(0, colon);
  if (colon != std::string_view::npos) {
    const std::string_view rest = text.substr(colon + 1);
    if (transport == "docker") return parse_registry_name(text, rest);
    if (transport == "oci") return parse_layout_name(text, rest);
    if (transport == "oci-archive") return LayoutArchiveImageName{parse_layout_name(text, rest)};
    if (transport == "docker-archive") return parse_docker_archive_name(text, rest);
    if (transport == "dir") return parse_directory_name(text, rest);
    if (transport == "store") return parse_store_name(text, rest);
  }
  if (colon != std::string_view::npos &&
      std::find(k_other_transports.begin(), k_other_transports.end(), transport) !=
          k_other_transports.end()) {
    throw UsageError(str("transport ", lade::quoted(str(transport, ':')), " is not supported yet"));
  }
  refuse(text, "it has no transport: expected one like `docker://NAME`, `oci:PATH` or `dir:PATH`");
}

}  // namespace lade::registry
