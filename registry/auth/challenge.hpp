// WWW-Authenticate by the grammar of RFC 7235 (now RFC 9110, 11.6.1).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// One challenge: a scheme and either parameters or a token68.
struct Challenge {
  std::string scheme;                             ///< lower case, e.g. `bearer`
  std::string token68;                            ///< e.g. Negotiate's; else empty
  std::map<std::string, std::string> parameters;  ///< names in lower case; of two, the first

  /// A parameter's value, by its lower-case name.
  std::optional<std::string> find(const std::string& name) const;
};

/// The challenges of one field value; a field may hold several. What follows a syntax error is
/// ignored, what precedes it counts.
std::vector<Challenge> parse_challenges(std::string_view field);

}  // namespace lade::registry
