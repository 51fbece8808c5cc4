#include "snapshot/id_map.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <limits>

namespace lade::snapshot {

namespace {

constexpr std::uint64_t k_no_id = std::numeric_limits<std::uint32_t>::max();

/// The place of `id` in a range that begins at `from`, moved to `to`.
std::optional<std::uint32_t> moved(std::uint32_t id, std::uint32_t from, std::uint32_t to,
                                   std::uint32_t size) {
  if (id < from || id - from >= size) return std::nullopt;
  return to + (id - from);
}

}  // namespace

IdRange parse_id_range(std::string_view text) {
  const auto fail = [&](std::string_view problem) {
    throw UsageError(str("id map ", quoted(text), ' ', problem));
  };
  const auto parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3) fail("is not of the form CONTAINER:HOST[:SIZE]");
  std::vector<std::uint64_t> numbers;
  for (const std::string& part : parts) {
    const auto number = parse_number<std::uint32_t>(part);
    if (!number) fail("has something in it that is no id");
    numbers.push_back(*number);
  }
  if (numbers.size() == 2) numbers.push_back(1);
  if (numbers[2] == 0) fail("is empty");
  for (const std::uint64_t first : {numbers[0], numbers[1]}) {
    // 2^32-1 means "no change" to chown(), and larger ones would begin at 0 again.
    if (first + numbers[2] > k_no_id) fail("reaches beyond the last id");
  }
  return {static_cast<std::uint32_t>(numbers[0]), static_cast<std::uint32_t>(numbers[1]),
          static_cast<std::uint32_t>(numbers[2])};
}

std::optional<std::uint32_t> to_host(const IdMap& map, std::uint32_t container) {
  if (map.empty()) return container;
  for (const IdRange& range : map) {
    if (const auto id = moved(container, range.container, range.host, range.size)) return id;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> to_container(const IdMap& map, std::uint32_t host) {
  if (map.empty()) return host;
  for (const IdRange& range : map) {
    if (const auto id = moved(host, range.host, range.container, range.size)) return id;
  }
  return std::nullopt;
}

}  // namespace lade::snapshot
