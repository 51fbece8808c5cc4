// What a sync is to copy, as data: sources with their filters become a list of images, each with
// its name at the destination. Nothing here asks a registry.
#pragma once

#include "base/regex.hpp"
#include "oci/platform.hpp"
#include "oci/reference.hpp"
#include "oci/transport.hpp"
#include "registry/signing/image_scope.hpp"
#include "registry/sync/semver.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// How what is copied is cut out of a source, and what becomes of its name.
struct SyncRules {
  std::vector<Regex> include;         ///< listed tags: at least one must match, if there are any
  std::vector<Regex> exclude;         ///< listed tags: none may match
  std::optional<std::size_t> newest;  ///< listed tags: the highest versions, so many of them
  std::optional<std::string> rename;  ///< the repository's name at the destination
  std::vector<Platform> platforms;    ///< of an index; empty: what the command line says
  bool referrers = false;             ///< signatures and the like as well
};

/// A repository, and which of its images are wanted. Tags that are named are taken as they are; the
/// rules for listed tags are for those that the registry lists.
struct SyncSource {
  Reference repository;            ///< without tag and digest
  std::vector<ManifestKey> keys;   ///< tags and digests by name; empty: those that it lists
  std::optional<Regex> tag_regex;  ///< only listed tags that match
  std::optional<VersionConstraint> versions;  ///< only listed tags that are such versions
  SyncRules rules;

  /// Whether the repository's tags must be listed.
  bool needs_tags() const { return keys.empty(); }
};

/// The kinds of places that a sync reads from.
enum class SyncFrom { registry, layout, directory };

/// One image to copy.
struct SyncItem {
  SyncFrom from = SyncFrom::registry;
  std::optional<Reference> reference;  ///< at its registry, with tag or digest
  std::string path;                    ///< of a layout, or of the image's own directory
  ManifestKey key;                     ///< at its source
  std::string name;  ///< at the destination, below its root: `app:1`, `quay.io/x/app:1`
  std::vector<Platform> platforms;
  bool referrers = false;

  /// `docker://HOST/PATH:TAG`, `oci:PATH:NAME` or `dir:PATH`.
  std::string origin() const;
  /// What policy.json calls it at its source.
  ImageScope scope() const;
};

/// How images are called at the destination.
enum class SyncNames {
  base,   ///< the last component of the repository: `app:1`
  scoped  ///< the whole: `quay.io/x/app:1`
};

/// How to make names.
struct SyncNaming {
  SyncNames names = SyncNames::base;
  std::string suffix;  ///< `--append-suffix`: behind the tag
};

/// The tags that a source's filters leave of those that its repository lists, in their order, or
/// with `newest` from the highest version downwards.
std::vector<std::string> select_tags(const SyncSource& source,
                                     const std::vector<std::string>& listed);

/// The images of a source; `listed` is not looked at unless it needs_tags().
std::vector<SyncItem> plan_source(const SyncSource& source, const std::vector<std::string>& listed,
                                  const SyncNaming& naming);

/// The name of an image at the destination.
std::string destination_name(const Reference& source, const std::optional<std::string>& rename,
                             const SyncNaming& naming);

/// Leaves out what is listed twice. Throws UsageError when two images would get one name.
std::vector<SyncItem> without_duplicates(std::vector<SyncItem> items);

/// The part of a list that one machine of several does, without asking the others.
struct Shard {
  std::size_t index = 0;  ///< from 0
  std::size_t count = 1;

  /// Parses `I/N` with I below N. Throws UsageError.
  static Shard parse(std::string_view text);
  /// Whether the image of this name is ours: decided by the name alone, the same everywhere.
  bool holds(std::string_view name) const;
};

/// The repository of a name at the destination: what comes before its tag or digest.
std::string repository_of(std::string_view name);

}  // namespace lade::registry
