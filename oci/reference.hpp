// Image references as people type them, and the one form that they normalise to.
#pragma once

#include "oci/digest.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace lade {

/// `domain/path[:tag][@digest]`, always normalised: `alpine` is `docker.io/library/alpine`.
/// Grammar: the distribution reference grammar (facts: domain, path components, tag, digest).
class Reference {
 public:
  /// Parses and normalises. Throws UsageError saying which rule is broken.
  static Reference parse(std::string_view text);

  /// The registry as written: `docker.io`, `localhost:5000`.
  const std::string& domain() const noexcept { return domain_; }
  /// The repository within it: `library/alpine`.
  const std::string& path() const noexcept { return path_; }
  const std::optional<std::string>& tag() const noexcept { return tag_; }
  const std::optional<Digest>& digest() const noexcept { return digest_; }

  /// `docker.io/library/alpine`.
  std::string repository() const;
  /// The whole, with tag and digest where they are.
  std::string text() const;
  /// The same with `latest` where it has neither tag nor digest.
  Reference with_default_tag() const;
  /// The same repository with this tag and no digest.
  Reference with_tag(std::string tag) const;
  /// The same repository with this digest and no tag.
  Reference with_digest(Digest digest) const;

  auto operator<=>(const Reference&) const = default;

 private:
  Reference() = default;

  std::string domain_;
  std::string path_;
  std::optional<std::string> tag_;
  std::optional<Digest> digest_;
};

/// Whether `text` is a tag by the grammar.
bool is_valid_tag(std::string_view text);

}  // namespace lade
