// What registries.conf and its drop-ins say: which registries to reach where, which to refuse, and
// what short names mean. containers-registries.conf(5), version 2. Who asks it:
// registry/endpoints.hpp and registry/short_names.hpp. All paths are passed in; nothing is looked
// up in the environment.
#pragma once

#include "oci/reference.hpp"
#include "registry/connection.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// For which pulls a mirror is asked: `pull-from-mirror`.
enum class MirrorUse { all, digest_only, tag_only };

/// What happens to a short name with several candidates: `short-name-mode`.
enum class ShortNameMode { enforcing, permissive, disabled };

/// A place that a part of the name space is read from.
struct Location {
  std::string name;  ///< `host[:port][/namespace…]` without a slash at its end; empty: as asked for
  TlsVerify tls_verify = TlsVerify::yes;  ///< `insecure = true` is TlsVerify::no
  std::optional<std::string> proxy;       ///< the proxy's URL
};

/// One `[[registry.mirror]]`.
struct Mirror {
  Location location;
  MirrorUse use = MirrorUse::all;
};

/// Whether a registry may be asked at all: `blocked`.
enum class Access { allowed, blocked };

/// One `[[registry]]`.
struct RegistryRule {
  std::string prefix;  ///< of the names it is for; `*.example.com` for all hosts below a domain
  Location location;   ///< the registry itself, asked after the mirrors
  std::vector<Mirror> mirrors;
  Access access = Access::allowed;
  std::string file;  ///< where it is written, for messages
};

/// What a short name stands for: a repository, without tag and digest.
struct Alias {
  Reference target;
  std::string file;  ///< where it is written, for messages
};

/// All files together.
struct RegistriesConf {
  std::map<std::string, RegistryRule, std::less<>> rules;  ///< by prefix
  std::map<std::string, Alias, std::less<>> aliases;       ///< by short name
  std::vector<std::string> search_registries;              ///< `unqualified-search-registries`
  std::string search_file;  ///< which file says so; empty if none does
  ShortNameMode short_name_mode = ShortNameMode::permissive;
  std::vector<std::string> files;  ///< that were read, in this order
};

/// Where to look. A path may be empty, or name what does not exist, except `explicit_file`.
struct RegistriesFiles {
  /// `--registries-conf`, CONTAINERS_REGISTRIES_CONF: instead of the main files, not of the
  /// drop-ins.
  std::optional<std::string> explicit_file;
  std::string user_file;        ///< ~/.config/containers/registries.conf
  std::string user_drop_ins;    ///< ~/.config/containers/registries.conf.d
  std::string system_file;      ///< /etc/containers/registries.conf
  std::string system_drop_ins;  ///< /etc/containers/registries.conf.d
  /// What podman recorded: /var/cache/containers/short-name-aliases.conf, ~/.cache/… for a user.
  /// Its aliases win over all others.
  std::string alias_cache;
};

/// The longest file that is read, in bytes.
inline constexpr std::size_t k_registries_conf_cap = 1024 * 1024;

/// Reads and merges the files: one main file (the explicit one, else the user's, else the
/// system's), then the system's drop-ins (not beside the user's main file), then the user's, each
/// directory's
/// `*.conf` in the order of their names. A later file replaces rules of the same prefix, aliases of
/// the same name (`""` erases one), the search registries and the mode; within a file the first
/// rule of a prefix stands. Throws InvalidData naming file and line for what is malformed,
/// contradictory or in the syntax of version 1, SystemError for what exists and cannot be read.
RegistriesConf load_registries_conf(const RegistriesFiles& files);

/// The rule with the longest prefix that covers a name: `host[:port][/path][:tag][@digest]`, as
/// Reference::text() and Reference::repository() write it. nullptr if none does. A prefix covers
/// what begins with it and goes on with `/`, `:` or `@`, so a bare host covers all its ports.
const RegistryRule* find_rule(const RegistriesConf& conf, std::string_view name);

/// How many characters of `name` the prefix covers, the wildcard's hosts included; nothing if it
/// does not cover the name. Hosts are compared without regard to case.
std::optional<std::size_t> match_prefix(std::string_view prefix, std::string_view name);

}  // namespace lade::registry
