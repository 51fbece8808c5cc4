// Which name in a signature is right for an image: `signedIdentity` of policy.json.
#pragma once

#include "oci/reference.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace lade::registry {

/// The same name, tag or digest included.
struct MatchExact {};
/// The same name if the image was asked for by tag; the same repository if by digest. The default.
struct MatchRepositoryDigestOrExact {};
/// The same repository, with any tag or none.
struct MatchRepository {};
/// This name, whatever the image is called.
struct ExactReference {
  Reference reference;
};
/// This repository, whatever the image is called.
struct ExactRepository {
  Reference repository;
};
/// As MatchRepositoryDigestOrExact, after `prefix` of the image's name was replaced.
struct RemapIdentity {
  std::string prefix;         ///< `host[:port][/namespace…]`
  std::string signed_prefix;  ///< the same
};

using SignedIdentity = std::variant<MatchRepositoryDigestOrExact, MatchExact, MatchRepository,
                                    ExactReference, ExactRepository, RemapIdentity>;

/// Whether an image known as `image` (nothing where its place has no such names) may carry a
/// signature for `signed_name`. What is no reference matches nothing.
bool matches(const SignedIdentity& rule, const std::optional<Reference>& image,
             std::string_view signed_name);

/// Whether `text` can be a prefix of RemapIdentity: a host, or a repository or namespace at one.
bool is_remap_prefix(std::string_view text);

}  // namespace lade::registry
