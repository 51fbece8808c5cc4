#include "registry/short_names.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace lade::registry {

namespace {

constexpr std::string_view k_docker_hub = "docker.io";

/// The name without tag and digest, as typed.
std::string_view repository_part(std::string_view text) {
  text = text.substr(0, text.find('@'));
  const auto slash = text.find_last_of('/');
  const auto colon = text.find_last_of(':');
  if (colon == std::string_view::npos) return text;
  return slash != std::string_view::npos && colon < slash ? text : text.substr(0, colon);
}

ShortNameResolution resolve_alias(const Alias& alias, std::string_view key) {
  return {.candidates = {Reference::parse(str(alias.target.repository(), key))},
          .by = ResolvedBy::alias,
          .file = alias.file};
}

[[noreturn]] void refuse_unknown(const RegistriesConf& conf, std::string_view text) {
  const std::string& file = conf.search_file.empty() ? conf.files.front() : conf.search_file;
  UsageError error(str("short name ", quoted(text), " is no alias, and ", quoted(file),
                       " has no `unqualified-search-registries`"));
  error.set_hint(str("name the registry, as in ", quoted(Reference::parse(text).text())));
  throw error;
}

[[noreturn]] void refuse_ambiguous(const ShortNameResolution& resolution, std::string_view text) {
  std::vector<std::string> names;
  for (const Reference& candidate : resolution.candidates) {
    names.push_back(quoted(candidate.text()));
  }
  UsageError error(str("short name ", quoted(text), " may be ", join(names, " or "),
                       " by the search registries in ", quoted(resolution.file),
                       ", and `short-name-mode` is enforcing"));
  error.set_hint("name the registry, or add the name to `[aliases]` in registries.conf");
  throw error;
}

}  // namespace

bool is_short_name(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return true;
  const std::string_view first = text.substr(0, slash);
  return first != "localhost" && first.find_first_of(".:") == std::string_view::npos;
}

std::string ShortNameResolution::describe(std::string_view text) const {
  switch (by) {
    case ResolvedBy::itself:
      break;
    case ResolvedBy::alias:
      return str("resolved ", quoted(text), " as an alias in ", quoted(file));
    case ResolvedBy::search:
      return str("resolved ", quoted(text), " by the search registries in ", quoted(file));
    case ResolvedBy::built_in:
      return str("resolved ", quoted(text), " to ", k_docker_hub, ", without a registries.conf");
  }
  return {};
}

ShortNameResolution resolve_short_name(const RegistriesConf& conf, std::string_view text) {
  Reference parsed = Reference::parse(text);
  if (!is_short_name(text)) return {.candidates = {std::move(parsed)}};
  const std::string_view name = repository_part(text);
  if (const auto alias = conf.aliases.find(name); alias != conf.aliases.end()) {
    return resolve_alias(alias->second, text.substr(name.size()));
  }
  if (conf.files.empty()) {
    return {.candidates = {std::move(parsed)}, .by = ResolvedBy::built_in};
  }
  if (conf.search_registries.empty()) refuse_unknown(conf, text);
  ShortNameResolution resolution{.by = ResolvedBy::search, .file = conf.search_file};
  for (const std::string& host : conf.search_registries) {
    resolution.candidates.push_back(Reference::parse(str(host, '/', text)));
  }
  if (resolution.candidates.size() > 1 && conf.short_name_mode == ShortNameMode::enforcing) {
    refuse_ambiguous(resolution, text);
  }
  return resolution;
}

}  // namespace lade::registry
