// Short names: references without a registry, such as `alpine` or `library/alpine:3.20`, and the
// repositories that they may stand for.
#pragma once

#include "oci/reference.hpp"
#include "registry/registries_conf.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// Whether the text names no registry: its first part of several has no `.` and no `:` and is not
/// `localhost`. The rest is not looked at.
bool is_short_name(std::string_view text);

/// Why a name stands for what it stands for.
enum class ResolvedBy {
  itself,    ///< it is not short
  alias,     ///< an alias of the configuration or one that was recorded
  search,    ///< the search registries of the configuration
  built_in,  ///< docker.io, since there is no configuration at all
};

/// What a name as typed may stand for.
struct ShortNameResolution {
  std::vector<Reference> candidates;  ///< at least one; to be tried in this order
  ResolvedBy by = ResolvedBy::itself;
  std::string file;  ///< the file that the alias or the search registries come from; may be empty

  /// For a progress line: "resolved `alpine` as an alias in `FILE`"; empty for `itself`.
  std::string describe(std::string_view text) const;
};

/// The candidates for `text`, which keep its tag and digest and get no default tag. Nobody is asked
/// for a choice: several candidates under `enforcing` are a UsageError that lists them, as is a
/// name for which the configuration has neither alias nor search registry. Throws UsageError for
/// what is no reference at all.
ShortNameResolution resolve_short_name(const RegistriesConf& conf, std::string_view text);

}  // namespace lade::registry
