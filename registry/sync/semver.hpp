// Versions and constraints on them, as sync files name them (`images-by-semver`): the syntax and
// the meaning of Masterminds/semver 3, which skopeo uses. semver.org, 2.0.0.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// A version: `1.2.3`, also written `v1.2`, `1`, `22.04`, with a prerelease (`-rc.1`) and metadata
/// (`+x`).
struct Version {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::uint64_t patch = 0;
  std::string prerelease;  ///< without its hyphen; empty for a release

  /// Parses a tag; nothing if it is not a version.
  static std::optional<Version> parse(std::string_view text);
};

/// The order of precedence: a prerelease comes before its release; metadata does not count.
std::strong_ordering compare(const Version& a, const Version& b);

/// Which versions are wanted: comparisons (`=`, `!=`, `>`, `<`, `>=`, `<=`, `~`, `^`, `1.x`,
/// `1.2 - 1.4`), all of which must hold when divided by commas or blanks, any group of which when
/// divided by `||`. A prerelease is wanted only by a group in which one is named.
class VersionConstraint {
 public:
  /// Throws UsageError.
  static VersionConstraint parse(std::string_view text);

  bool allows(const Version& version) const;

 private:
  enum class Operator { equal, not_equal, greater, less, at_least, at_most, tilde, caret };

  struct Comparison {
    Operator operation = Operator::equal;
    Version version;
    bool any_major = false;  ///< `*`
    bool any_minor = false;  ///< `1`, `1.x`
    bool any_patch = false;  ///< `1.2`, `1.2.x`

    bool is_partial() const { return any_major || any_minor || any_patch; }
    bool allows(const Version& other) const;
    bool allows_not_equal(const Version& other) const;
    bool allows_greater(const Version& other) const;
    bool allows_at_most(const Version& other) const;
    bool allows_tilde(const Version& other) const;
    bool allows_caret(const Version& other) const;
  };

  class Parser;

  std::vector<std::vector<Comparison>> alternatives_;
};

}  // namespace lade::registry
