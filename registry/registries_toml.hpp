// One registries.conf file: its TOML, checked and turned into rules. The only file that knows
// toml++.
#pragma once

#include "registry/registries_conf.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lade::registry {

/// What one file says; what it does not mention is not set.
struct RegistriesFragment {
  std::vector<RegistryRule> rules;  ///< as written, each prefix once: the first rule stands
  /// Short name and what it stands for; nothing where the file erases the alias.
  std::vector<std::pair<std::string, std::optional<Alias>>> aliases;
  std::optional<std::vector<std::string>> search_registries;
  std::optional<ShortNameMode> short_name_mode;
};

/// Parses the text of the file `path` (used for messages only). Unknown keys are ignored; keys are
/// known whatever their case. Throws InvalidData naming file and line.
RegistriesFragment parse_registries_toml(std::string_view text, const std::string& path);

}  // namespace lade::registry
