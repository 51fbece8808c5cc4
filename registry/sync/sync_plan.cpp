#include "registry/sync/sync_plan.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <map>

namespace lade::registry {

namespace {

bool any_matches(const std::vector<Regex>& expressions, const std::string& tag) {
  return std::any_of(expressions.begin(), expressions.end(),
                     [&](const Regex& expression) { return expression.matches(tag); });
}

bool is_wanted(const SyncSource& source, const std::string& tag) {
  if (source.tag_regex && !source.tag_regex->matches(tag)) return false;
  if (source.versions) {
    const auto version = Version::parse(tag);
    if (!version || !source.versions->allows(*version)) return false;
  }
  const SyncRules& rules = source.rules;
  if (!rules.include.empty() && !any_matches(rules.include, tag)) return false;
  return !any_matches(rules.exclude, tag);
}

/// The tags of the highest versions, from there downwards; other tags have no place in the order.
std::vector<std::string> newest_of(const std::vector<std::string>& tags, std::size_t count) {
  struct Entry {
    Version version;
    const std::string* tag;
  };
  std::vector<Entry> entries;
  for (const std::string& tag : tags) {
    if (auto version = Version::parse(tag)) entries.push_back({*std::move(version), &tag});
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return compare(a.version, b.version) > 0;
  });
  if (entries.size() > count) entries.resize(count);
  std::vector<std::string> newest;
  for (const Entry& entry : entries) newest.push_back(*entry.tag);
  return newest;
}

Reference with_key(const Reference& repository, const ManifestKey& key) {
  if (const auto* digest = std::get_if<Digest>(&key)) return repository.with_digest(*digest);
  return repository.with_tag(std::get<std::string>(key));
}

}  // namespace

std::string SyncItem::origin() const {
  switch (from) {
    case SyncFrom::registry:
      return "docker://" + reference->text();
    case SyncFrom::layout:
      return str("oci:", path, ':', to_string(key));
    case SyncFrom::directory:
      return "dir:" + path;
  }
  return {};
}

ImageScope SyncItem::scope() const {
  if (from == SyncFrom::registry) return docker_scope(*reference);
  return path_scope(from == SyncFrom::layout ? "oci" : "dir", explicit_path(path));
}

std::vector<std::string> select_tags(const SyncSource& source,
                                     const std::vector<std::string>& listed) {
  std::vector<std::string> tags;
  std::copy_if(listed.begin(), listed.end(), std::back_inserter(tags),
               [&](const std::string& tag) { return is_wanted(source, tag); });
  if (source.rules.newest) return newest_of(tags, *source.rules.newest);
  return tags;
}

std::vector<SyncItem> plan_source(const SyncSource& source, const std::vector<std::string>& listed,
                                  const SyncNaming& naming) {
  std::vector<ManifestKey> keys = source.keys;
  if (source.needs_tags()) {
    for (std::string& tag : select_tags(source, listed)) keys.emplace_back(std::move(tag));
  }
  std::vector<SyncItem> items;
  for (const ManifestKey& key : keys) {
    const Reference reference = with_key(source.repository, key);
    items.push_back({.reference = reference,
                     .key = key,
                     .name = destination_name(reference, source.rules.rename, naming),
                     .platforms = source.rules.platforms,
                     .referrers = source.rules.referrers});
  }
  return items;
}

std::string destination_name(const Reference& source, const std::optional<std::string>& rename,
                             const SyncNaming& naming) {
  const std::string whole = source.text();
  const std::string repository = source.repository();
  std::string name;
  if (rename) {
    name = *rename;
  } else if (naming.names == SyncNames::scoped) {
    name = repository;
  } else {
    name = repository.substr(repository.rfind('/') + 1);
  }
  return str(name, whole.substr(repository.size()), naming.suffix);
}

std::vector<SyncItem> without_duplicates(std::vector<SyncItem> items) {
  std::map<std::string, std::string> origins;
  std::vector<SyncItem> kept;
  for (SyncItem& item : items) {
    const auto [known, is_new] = origins.emplace(item.name, item.origin());
    if (is_new) {
      kept.push_back(std::move(item));
    } else if (known->second != item.origin()) {
      UsageError error(str("both ", quoted(known->second), " and ", quoted(item.origin()),
                           " would be ", quoted(item.name), " at the destination"));
      error.set_hint("keep their whole names with --scoped, or rename one");
      throw error;
    }
  }
  return kept;
}

Shard Shard::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto index = parse_number<std::size_t>(text.substr(0, slash));
  const auto count = slash == std::string_view::npos
                         ? std::nullopt
                         : parse_number<std::size_t>(text.substr(slash + 1));
  if (!index || !count || *index >= *count) {
    throw UsageError(str("--shard ", quoted(text), ": expected I/N with I from 0 to N-1"));
  }
  return {*index, *count};
}

bool Shard::holds(std::string_view name) const {
  if (count == 1) return true;
  const std::string hex = Digest::of(name).hex().substr(0, 15);
  std::uint64_t value = 0;
  std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  return value % count == index;
}

std::string repository_of(std::string_view name) {
  const auto at = name.find('@');
  if (at != std::string_view::npos) return std::string(name.substr(0, at));
  const auto colon = name.rfind(':');
  const auto slash = name.rfind('/');
  const bool has_tag =
      colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  return std::string(name.substr(0, has_tag ? colon : name.size()));
}

}  // namespace lade::registry
