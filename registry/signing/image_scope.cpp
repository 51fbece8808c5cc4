#include "registry/signing/image_scope.hpp"

#include "base/text.hpp"

#include <stdlib.h>

#include <algorithm>
#include <array>
#include <memory>

namespace lade::registry {

namespace {

constexpr std::array<std::string_view, 4> k_path_transports{"dir", "oci", "oci-archive", "sif"};

/// Whether `path` begins at the root and has no empty, `.` or `..` component.
bool is_clean_path(std::string_view path) {
  if (!path.starts_with('/') || path.size() == 1) return false;
  const auto parts = split(path.substr(1), '/');
  return std::none_of(parts.begin(), parts.end(), [](const std::string& part) {
    return part.empty() || part == "." || part == "..";
  });
}

}  // namespace

ImageScope docker_scope(const Reference& reference) {
  const Reference full = reference.with_default_tag();
  ImageScope image{.name = "docker://" + full.text(), .transport = "docker", .reference = full};
  const std::string repository = full.repository();
  image.scopes.push_back(full.digest() ? str(repository, '@', full.digest()->text())
                                       : str(repository, ':', *full.tag()));
  std::string scope = repository;
  for (;;) {
    image.scopes.push_back(scope);
    const auto slash = scope.rfind('/');
    if (slash == std::string::npos) break;
    scope.resize(slash);
  }
  std::string host = scope.substr(0, scope.find(':'));
  for (auto dot = host.find('.'); dot != std::string::npos; dot = host.find('.')) {
    host.erase(0, dot + 1);
    image.scopes.push_back("*." + host);
  }
  return image;
}

std::string explicit_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&::free)> resolved(::realpath(path.c_str(), nullptr),
                                                          &::free);
  return resolved ? std::string(resolved.get()) : path;
}

ImageScope path_scope(std::string_view transport, const std::string& path) {
  ImageScope image{.name = str(transport, ':', path), .transport = std::string(transport)};
  std::string scope = path;
  while (scope.size() > 1) {
    image.scopes.push_back(scope);
    const auto slash = scope.rfind('/');
    if (slash == std::string::npos) break;  // a path that does not exist is as it was given
    scope.resize(slash);
  }
  return image;
}

ImageScope plain_scope(std::string_view transport, std::string_view name,
                       std::optional<Reference> reference) {
  return {.name = str(transport, ':', name),
          .transport = std::string(transport),
          .reference = std::move(reference)};
}

std::string objection_to_scope(std::string_view transport, std::string_view scope) {
  if (scope.empty()) return {};
  if (transport == "docker-archive" || transport == "store") {
    return str(quoted(str(transport, ':')), " has no scopes but \"\"");
  }
  const bool has_paths = std::find(k_path_transports.begin(), k_path_transports.end(), transport) !=
                         k_path_transports.end();
  if (!has_paths) return {};
  if (scope == "/") return "the scope of everything is \"\", not `/`";
  // An `oci:` scope may have a tag behind the directory, which no image is looked up by.
  if (!is_clean_path(scope)) return "it is not an absolute path without `.`, `..` and `//`";
  return {};
}

}  // namespace lade::registry
