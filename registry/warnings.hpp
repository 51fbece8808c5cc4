// What registries want to tell people: `Warning: 299 - "text"` (distribution-spec, "Warnings").
#pragma once

#include "base/concurrency.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// At most this much text of one registry is passed on (bytes); the specification's bound.
inline constexpr std::size_t k_warning_cap = 4096;

/// The texts of the warnings with code 299 in some `Warning` fields, quoted pairs resolved. Other
/// codes (of caches) and what is malformed are left out.
std::vector<std::string> parse_warnings(const std::vector<std::string>& fields);

/// Passes each warning of a registry on once, whatever number of answers carries it.
/// THREADS: may be used from several at once; one log serves many connections.
class WarningLog {
 public:
  /// Told about each new one: `registry X says: TEXT`. Called with a lock held; must not come back.
  using Tell = std::function<void(const std::string& text)>;

  explicit WarningLog(Tell tell) : tell_(std::move(tell)) {}

  /// Sees the `Warning` fields of one answer of `registry`.
  void see(const std::string& registry, const std::vector<std::string>& fields);

 private:
  struct Seen {
    std::set<std::string> texts;
    std::size_t bytes = 0;
    bool full = false;
  };

  Tell tell_;
  Sync<std::map<std::string, Seen>> seen_;
};

}  // namespace lade::registry
