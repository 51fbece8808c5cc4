// Owners inside a container and outside: the maps of user namespaces, as umoci's --uid-map and
// --gid-map take them. user_namespaces(7).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace lade::snapshot {

/// `size` ids from `container` on are those from `host` on outside.
struct IdRange {
  std::uint32_t container = 0;
  std::uint32_t host = 0;
  std::uint32_t size = 1;
  bool operator==(const IdRange&) const = default;
};

/// Parses `CONTAINER:HOST[:SIZE]`. Throws UsageError for anything else, for a size of 0, and for
/// ranges that reach beyond 2^32-2.
IdRange parse_id_range(std::string_view text);

/// Some ranges; without any, every id is itself.
using IdMap = std::vector<IdRange>;

/// The id outside of one inside; nothing if the map has none.
std::optional<std::uint32_t> to_host(const IdMap& map, std::uint32_t container);
/// The id inside of one outside; nothing if the map has none.
std::optional<std::uint32_t> to_container(const IdMap& map, std::uint32_t host);

/// Who owns what in a flat tree.
struct Ownership {
  IdMap uids;
  IdMap gids;
  /// Without privileges: what cannot be given away stays the caller's, and is remembered in the
  /// attribute `user.rootlesscontainers`; devices become empty files.
  bool rootless = false;
  bool operator==(const Ownership&) const = default;
};

}  // namespace lade::snapshot
