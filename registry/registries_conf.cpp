#include "registry/registries_conf.hpp"

#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "registry/registries_toml.hpp"

#include <cerrno>
#include <utility>

namespace lade::registry {

namespace {

/// What the file says, or nothing if there is none at `path`.
std::optional<RegistriesFragment> find_fragment(const std::string& path) {
  if (path.empty()) return std::nullopt;
  std::string text;
  try {
    text = read_file(path, k_registries_conf_cap);
  } catch (const SystemError& error) {
    if (error.code() == ENOENT || error.code() == ENOTDIR) return std::nullopt;
    throw;
  }
  return parse_registries_toml(text, path);
}

/// What podman recorded, where this user may know it: it is somebody else's memory, no
/// configuration.
std::optional<RegistriesFragment> find_recorded(const std::string& path) {
  try {
    return find_fragment(path);
  } catch (const SystemError& error) {
    if (error.code() == EACCES) return std::nullopt;
    throw;
  }
}

void merge_aliases(RegistriesConf& conf, RegistriesFragment& fragment) {
  for (auto& [name, alias] : fragment.aliases) {
    conf.aliases.erase(name);
    if (alias) conf.aliases.emplace(name, std::move(*alias));
  }
}

void merge(RegistriesConf& conf, RegistriesFragment fragment, const std::string& path) {
  conf.files.push_back(path);
  for (RegistryRule& rule : fragment.rules) {
    std::string prefix = rule.prefix;
    conf.rules.insert_or_assign(std::move(prefix), std::move(rule));
  }
  if (fragment.search_registries) {
    conf.search_registries = std::move(*fragment.search_registries);
    conf.search_file = path;
  }
  if (fragment.short_name_mode) conf.short_name_mode = *fragment.short_name_mode;
  merge_aliases(conf, fragment);
}

/// Whether there was such a file.
bool merge_file(RegistriesConf& conf, const std::string& path) {
  auto fragment = find_fragment(path);
  if (!fragment) return false;
  merge(conf, std::move(*fragment), path);
  return true;
}

void merge_drop_ins(RegistriesConf& conf, const std::string& path) {
  if (path.empty()) return;
  std::optional<Directory> directory;
  try {
    directory = Directory::open(path);
  } catch (const SystemError& error) {
    if (error.code() == ENOENT || error.code() == ENOTDIR) return;
    throw;
  }
  for (const std::string& name : directory->list()) {
    if (!name.ends_with(".conf")) continue;
    const auto stat = directory->find_stat(name);
    if (!stat || S_ISDIR(stat->st_mode)) continue;
    merge_file(conf, directory->path_of(name));
  }
}

/// Whose main file was read.
enum class MainFile { given, user, system };

MainFile merge_main_file(RegistriesConf& conf, const RegistriesFiles& files) {
  if (files.explicit_file) {
    if (!merge_file(conf, *files.explicit_file)) {
      throw SystemError(ENOENT, str("open ", quoted(*files.explicit_file)));
    }
    return MainFile::given;
  }
  if (merge_file(conf, files.user_file)) return MainFile::user;
  merge_file(conf, files.system_file);
  return MainFile::system;
}

std::size_t host_length(std::string_view name) {
  return std::min(name.find('/'), name.size());
}

/// The host without its port.
std::string_view host_of(std::string_view name) {
  const std::string_view host = name.substr(0, host_length(name));
  const auto bracket = host.rfind(']');
  return host.substr(0, host.find(':', bracket == std::string_view::npos ? 0 : bracket));
}

/// Whether `name` begins with `prefix`; in the host case does not matter.
bool begins_with(std::string_view name, std::string_view prefix) {
  if (name.size() < prefix.size()) return false;
  const std::size_t host = std::min(host_length(prefix), host_length(name));
  return ascii_iequals(name.substr(0, host), prefix.substr(0, host)) &&
         name.substr(host, prefix.size() - host) == prefix.substr(host);
}

}  // namespace

RegistriesConf load_registries_conf(const RegistriesFiles& files) {
  RegistriesConf conf;
  if (merge_main_file(conf, files) != MainFile::user) merge_drop_ins(conf, files.system_drop_ins);
  merge_drop_ins(conf, files.user_drop_ins);
  if (auto recorded = find_recorded(files.alias_cache)) merge_aliases(conf, *recorded);
  return conf;
}

std::optional<std::size_t> match_prefix(std::string_view prefix, std::string_view name) {
  if (prefix.starts_with("*.")) {
    const std::string_view host = host_of(name);
    const std::string_view domain = prefix.substr(1);
    if (host.size() <= domain.size() ||
        !ascii_iequals(host.substr(host.size() - domain.size()), domain)) {
      return std::nullopt;
    }
    return host.size();
  }
  if (!begins_with(name, prefix)) return std::nullopt;
  const std::string_view rest = name.substr(prefix.size());
  if (!rest.empty() && std::string_view("/:@").find(rest.front()) == std::string_view::npos) {
    return std::nullopt;
  }
  return prefix.size();
}

const RegistryRule* find_rule(const RegistriesConf& conf, std::string_view name) {
  const RegistryRule* longest = nullptr;
  for (const auto& [prefix, rule] : conf.rules) {
    if (longest != nullptr && prefix.size() <= longest->prefix.size()) continue;
    if (match_prefix(prefix, name)) longest = &rule;
  }
  return longest;
}

}  // namespace lade::registry
