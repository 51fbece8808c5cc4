// What an image is called in policy.json and registries.d: its scope, and the scopes around it.
#pragma once

#include "oci/reference.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// An image at its place.
struct ImageScope {
  std::string name;       ///< with its transport, for messages: `docker://…`
  std::string transport;  ///< `docker`, `dir`, `oci`, …
  /// From the image itself outwards, without the transport's own (""); the first one that a
  /// configuration has counts.
  std::vector<std::string> scopes;
  /// What it is called, where its place has such names.
  std::optional<Reference> reference;
};

/// An image at a registry: itself by digest or tag, its repository, the namespaces above that, the
/// host with its port, and `*.` before each domain above the host.
ImageScope docker_scope(const Reference& reference);

/// A path without links, as policies name it; as it is written if it does not exist.
std::string explicit_path(const std::string& path);

/// An image in a file or directory, whose path is absolute and without links; of transports that
/// keep several images in one place that is the place.
ImageScope path_scope(std::string_view transport, const std::string& path);

/// An image at a place that has no scopes: `docker-archive`, `store`. `reference` is what it is
/// called there.
ImageScope plain_scope(std::string_view transport, std::string_view name,
                       std::optional<Reference> reference);

/// Why `scope` cannot be one of `transport`; empty if it can, or the transport is not known.
std::string objection_to_scope(std::string_view transport, std::string_view scope);

}  // namespace lade::registry
